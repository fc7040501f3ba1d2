import { IsBoolean, IsNotEmpty, IsOptional, IsString, MaxLength } from 'class-validator';
import { IsName } from '../../../common/index.js';
import { IsEmailAddress, IsGivenPassword, IsNewPassword } from '../../users/index.js';

export class RegisterDto {
  /** In any letter case; one account per address. */
  @IsEmailAddress()
  email!: string;

  /** 12 to 128 characters; the most common ones are refused. */
  @IsNewPassword()
  password!: string;

  /**
   * How others see you.
   * @example 'Ada Lovelace'
   */
  @IsName()
  name!: string;
}

export class LoginDto {
  @IsEmailAddress()
  email!: string;

  @IsGivenPassword()
  password!: string;
}

export class RefreshDto {
  /**
   * From the answer to register, login or the refresh before. It works once.
   * @example 'Vb3n0kJ1rj0m0H2mQe1o0rZ8d2y1t1u4w7p9s6a5c3E'
   */
  @IsString()
  @IsNotEmpty()
  @MaxLength(512)
  refreshToken!: string;
}

export class LogoutDto {
  /** True ends all your sessions, on every device. */
  @IsOptional()
  @IsBoolean()
  everywhere?: boolean;
}

export class ChangePasswordDto {
  /** As a proof that it is you. */
  @IsGivenPassword()
  currentPassword!: string;

  /** 12 to 128 characters; the most common ones are refused. */
  @IsNewPassword()
  newPassword!: string;
}

export class ForgotPasswordDto {
  @IsEmailAddress()
  email!: string;
}

export class ResetPasswordDto {
  /**
   * From the link in the mail. It works once, for an hour.
   * @example 'q1W2e3R4t5Y6u7I8o9P0a1S2d3F4g5H6j7K8l9Z0x1C'
   */
  @IsString()
  @IsNotEmpty()
  @MaxLength(512)
  token!: string;

  /** 12 to 128 characters; the most common ones are refused. */
  @IsNewPassword()
  newPassword!: string;
}
