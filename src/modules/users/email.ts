import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsEmail, MaxLength } from 'class-validator';

/** The one form under which an address is stored, compared and looked up: trimmed, NFC, lower case. */
export const normalizeEmail = (email: string): string => email.trim().normalize('NFC').toLowerCase().normalize('NFC');

/** An e-mail address in a DTO; arrives normalised, so that nothing below the edge has to think of it. */
export const IsEmailAddress = (): PropertyDecorator =>
  applyDecorators(
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' && value.length <= 1024 ? normalizeEmail(value) : value,
    ),
    IsEmail({}, { message: 'email must be an e-mail address.' }),
    MaxLength(254, { message: 'email must be at most 254 characters.' }),
    ApiProperty({ type: String, format: 'email', maxLength: 254, example: 'ada@example.com' }),
  );
