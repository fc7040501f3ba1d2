import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { ValidateBy } from 'class-validator';

/** What PostgreSQL can keep: Unicode text (no half of a surrogate pair) without NUL. */
const isStorable = (value: unknown): value is string =>
  typeof value === 'string' && value.isWellFormed() && !value.includes('\0');

/** A text of any number of lines in a DTO; refused (`is_text`) when it is longer, or no text that can be kept as it is. */
export const IsText = (maxLength: number): PropertyDecorator =>
  applyDecorators(
    ValidateBy({
      name: 'isText',
      validator: {
        validate: (value) => isStorable(value) && value.length <= maxLength,
        defaultMessage: (args) =>
          `${args?.property ?? 'text'} must be a text of at most ${maxLength} characters, without NUL characters and broken ones.`,
      },
    }),
    ApiProperty({ type: String, maxLength }),
  );
