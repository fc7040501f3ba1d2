import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { isEmail, ValidateBy } from 'class-validator';

/** RFC 5321, section 4.5.3.1.3, without the angle brackets. */
const MAX_LENGTH = 254;

/** The one form under which an address is stored, compared and looked up: trimmed, NFC, lower case. */
export const normalizeEmail = (email: string): string => email.trim().normalize('NFC').toLowerCase().normalize('NFC');

/** An e-mail address in a DTO; arrives normalised, so that nothing below the edge has to think of it. */
export const IsEmailAddress = (): PropertyDecorator =>
  applyDecorators(
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' && value.length <= 1024 ? normalizeEmail(value) : value,
    ),
    ValidateBy({
      name: 'isEmail',
      validator: {
        // The library throws on lone surrogates, and has no limit that would spare it 100 kB.
        validate: (value) =>
          typeof value === 'string' && value.length <= MAX_LENGTH && value.isWellFormed() && isEmail(value),
        defaultMessage: (args) => `${args?.property ?? 'email'} must be an e-mail address.`,
      },
    }),
    ApiProperty({ type: String, format: 'email', maxLength: MAX_LENGTH, example: 'ada@example.com' }),
  );
