import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { ValidateBy } from 'class-validator';
import { isTimeZone } from '../../../query/index.js';

/** A name of the IANA time zone database; anything else is refused (`unknown_time_zone`). */
export const IsTimeZone = (): PropertyDecorator =>
  applyDecorators(
    ValidateBy({
      name: 'unknownTimeZone',
      validator: {
        validate: (value) => typeof value === 'string' && isTimeZone(value),
        defaultMessage: (args) =>
          `${args?.property ?? 'timeZone'} must be a name of the IANA time zone database, such as Europe/Berlin.`,
      },
    }),
    ApiProperty({ type: String, maxLength: 64, example: 'Europe/Berlin' }),
  );
