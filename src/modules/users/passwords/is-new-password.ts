import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { ValidateBy, type ValidationArguments } from 'class-validator';
import { isCommonPassword } from './common-password.js';

export const PASSWORD_MIN = 12;
export const PASSWORD_MAX = 128;

const isLongEnough = (value: unknown): boolean => {
  // Cheap bound first: nobody's 100 kB are counted character by character.
  if (typeof value !== 'string' || value.length > PASSWORD_MAX * 2 || !value.isWellFormed()) return false;
  const length = Array.from(value.normalize('NFC')).length;
  return length >= PASSWORD_MIN && length <= PASSWORD_MAX;
};

const emailOf = (args?: ValidationArguments): string => {
  const { email }: { email?: unknown } = args?.object ?? {};
  return typeof email === 'string' ? email : '';
};

/** A password that somebody chooses: 12 to 128 characters (`password_length`), not a common one (`password_common`). */
export const IsNewPassword = (): PropertyDecorator =>
  applyDecorators(
    // The first one is checked first: what is no password at all is not called common.
    ValidateBy({
      name: 'passwordLength',
      validator: {
        validate: isLongEnough,
        defaultMessage: (args) =>
          `${args?.property ?? 'password'} must be ${PASSWORD_MIN} to ${PASSWORD_MAX} characters.`,
      },
    }),
    ValidateBy({
      name: 'passwordCommon',
      validator: {
        validate: (value, args) =>
          typeof value === 'string' && !isCommonPassword(value.slice(0, PASSWORD_MAX), emailOf(args)),
        defaultMessage: () => 'This password is among the first that anybody would try. Choose another one.',
      },
    }),
    ApiProperty({
      type: String,
      format: 'password',
      minLength: PASSWORD_MIN,
      maxLength: PASSWORD_MAX,
      example: 'correct horse battery staple',
    }),
  );
