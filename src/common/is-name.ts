import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { ValidateBy } from 'class-validator';
import { cleanName } from './names.js';

/**
 * A display name in a DTO: arrives trimmed and in NFC; refused (`is_name`) when it is not 1 to 255 characters of
 * well-formed text, one of them visible, without control characters.
 */
export const IsName = (): PropertyDecorator =>
  applyDecorators(
    Transform(({ value }: { value: unknown }) => cleanName(value) ?? value),
    ValidateBy({
      name: 'isName',
      validator: {
        validate: (value) => cleanName(value) !== undefined,
        defaultMessage: (args) =>
          `${args?.property ?? 'name'} must be 1 to 255 characters, one of them visible, without control characters.`,
      },
    }),
    ApiProperty({ type: String, minLength: 1, maxLength: 255 }),
  );
