import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { IsNotEmpty, IsString, MaxLength } from 'class-validator';
import { PASSWORD_MAX } from './is-new-password.js';

/** A password that somebody claims to have: any text of a length that is worth the work of a comparison. */
export const IsGivenPassword = (): PropertyDecorator =>
  applyDecorators(
    IsString(),
    IsNotEmpty(),
    MaxLength(PASSWORD_MAX * 2),
    ApiProperty({ type: String, format: 'password', example: 'correct horse battery staple' }),
  );
