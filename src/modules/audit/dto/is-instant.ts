import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { ValidateBy } from 'class-validator';
import { columnType } from '../../../query/index.js';

const parse = (value: unknown) => columnType('datetime').parse(value, { options: {} });

/** A time of RFC 3339 with its offset in a DTO; arrives in UTC. The rules are those of a `datetime` column. */
export const IsInstant = (): PropertyDecorator =>
  applyDecorators(
    Transform(({ value }: { value: unknown }) => {
      const parsed = parse(value);
      return parsed.ok ? parsed.value : value;
    }),
    ValidateBy({
      name: 'isInstant',
      validator: {
        validate: (value) => parse(value).ok,
        defaultMessage: (args) => {
          const parsed = parse(args?.value);
          // In a query string a bare "+" is a space.
          return `${args?.property ?? 'time'}: ${parsed.ok ? '' : parsed.detail} Write the + of an offset as %2B.`;
        },
      },
    }),
  );
