import { IsBoolean, IsNotEmpty, IsOptional, IsString, MaxLength } from 'class-validator';
import { IsName } from '../../../common/index.js';
import { IsEmailAddress } from '../../users/index.js';
import { IsNewPassword, PASSWORD_MAX } from '../passwords/is-new-password.js';

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

  /** @example 'correct horse battery staple' */
  @IsString()
  @IsNotEmpty()
  @MaxLength(PASSWORD_MAX * 2)
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
