import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { isEmail, ValidateBy } from 'class-validator';
import { domainToASCII } from 'node:url';

/** RFC 5321, section 4.5.3.1.3, without the angle brackets. */
const MAX_LENGTH = 254;

/**
 * The one form under which an address is stored, compared and looked up: trimmed, NFC, lower case, the domain as the mail system
 * knows it (UTS #46: `exämple.com` and `xn--exmple-cua.com` are one).
 */
export function normalizeEmail(email: string): string {
  const text = email.trim().normalize('NFC').toLowerCase().normalize('NFC');
  const at = text.lastIndexOf('@');
  const domain = at < 0 ? '' : domainToASCII(text.slice(at + 1));
  return domain === '' ? text : `${text.slice(0, at)}@${domain}`;
}

/** Control and invisible characters, blanks, and the quotes that would allow them (nobody needs the quoted form of RFC 5321). */
const DECEPTIVE = /[\p{C}\p{Z}"\\]/u;

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
          typeof value === 'string' &&
          value.length <= MAX_LENGTH &&
          value.isWellFormed() &&
          !DECEPTIVE.test(value) &&
          isEmail(value),
        defaultMessage: (args) => `${args?.property ?? 'email'} must be an e-mail address.`,
      },
    }),
    ApiProperty({ type: String, format: 'email', maxLength: MAX_LENGTH, example: 'ada@example.com' }),
  );
