import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsObject, IsOptional, Max, MaxLength, Min, ValidateBy, ValidateNested } from 'class-validator';
import { IsName, IsText, MayBeAbsent, PageDto } from '../../common/index.js';
import {
  EXTERNAL_ENGINES,
  TLS_MODES,
  type ConnectionTarget,
  type ExternalEngineName,
  type TlsChoice,
} from '../../engines/index.js';

const ACCESS = ['read-only', 'read-write'] as const satisfies readonly ConnectionTarget['access'][];
const MAX_CA = 100_000;
const PEM = /^(?:\s*-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----)+\s*$/;

/** Certificates as text; refused (`is_pem`) when it is anything else, such as the path of a file. */
const IsCertificates = (): PropertyDecorator =>
  ValidateBy({
    name: 'isPem',
    validator: {
      validate: (value) => typeof value === 'string' && PEM.test(value),
      defaultMessage: (args) =>
        `${args?.property ?? 'ca'} must be the text of certificates: -----BEGIN CERTIFICATE----- and so on.`,
    },
  });

/** A port of TCP. */
const IsPort = (): PropertyDecorator => applyDecorators(IsInt(), Min(1), Max(65_535), ApiProperty({ type: 'integer' }));

export class TlsDto {
  @ApiProperty({
    enum: TLS_MODES,
    example: 'verify-full',
    description: '`require` encrypts and trusts any certificate; `verify-full` demands one of this host.',
  })
  @IsIn(TLS_MODES)
  mode!: TlsChoice['mode'];

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    maxLength: MAX_CA,
    description: 'Certificates of the authorities to be trusted, as text in PEM; without it those of the system.',
  })
  @IsOptional()
  @IsCertificates()
  @MaxLength(MAX_CA)
  ca?: string | null;
}

/** Where a database is and how to sign in. */
class PlaceDto {
  @ApiProperty({ enum: EXTERNAL_ENGINES, example: 'postgresql', description: '`mysql` is MariaDB as well.' })
  @IsIn(EXTERNAL_ENGINES)
  engine!: ExternalEngineName;

  /** Name or address. @example 'db.example.com' */
  @IsText(253)
  host!: string;

  /** @example 5432 */
  @IsPort()
  port!: number;

  /** @example 'shop' */
  @IsText(255)
  database!: string;

  /** @example 'reader' */
  @IsText(255)
  username!: string;

  /** Kept encrypted, and never given back. */
  @IsText(1024)
  password!: string;

  @ApiPropertyOptional({ type: TlsDto, description: 'Without it, `disable`.' })
  @MayBeAbsent()
  @IsObject()
  @ValidateNested()
  @Type(() => TlsDto)
  tls?: TlsDto;

  @ApiPropertyOptional({ enum: ACCESS, default: 'read-only' })
  @MayBeAbsent()
  @IsIn(ACCESS)
  access?: ConnectionTarget['access'];
}

export class CreateConnectionDto extends PlaceDto {
  /** @example 'Shop' */
  @IsName()
  name!: string;
}

export class TestConnectionDto extends PlaceDto {
  /** Taken, so that the body of a new connection can be tried as it is. @example 'Shop' */
  @MayBeAbsent()
  @IsName()
  name?: string;
}

export class UpdateConnectionDto {
  /** @example 'Shop (replica)' */
  @MayBeAbsent()
  @IsName()
  name?: string;

  @ApiPropertyOptional({ enum: EXTERNAL_ENGINES, description: 'Another one takes the password again.' })
  @MayBeAbsent()
  @IsIn(EXTERNAL_ENGINES)
  engine?: ExternalEngineName;

  /** Another one takes the password again. @example 'replica.example.com' */
  @MayBeAbsent()
  @IsText(253)
  host?: string;

  /** Another one takes the password again. @example 5432 */
  @MayBeAbsent()
  @IsPort()
  port?: number;

  /** @example 'shop' */
  @MayBeAbsent()
  @IsText(255)
  database?: string;

  /** @example 'reader' */
  @MayBeAbsent()
  @IsText(255)
  username?: string;

  @MayBeAbsent()
  @IsText(1024)
  password?: string;

  @ApiPropertyOptional({ type: TlsDto, description: 'In the place of what was there, `ca` included.' })
  @MayBeAbsent()
  @IsObject()
  @ValidateNested()
  @Type(() => TlsDto)
  tls?: TlsDto;

  @ApiPropertyOptional({ enum: ACCESS })
  @MayBeAbsent()
  @IsIn(ACCESS)
  access?: ConnectionTarget['access'];
}

/** Everybody in the workspace sees what it is; only admins where it is. The password is seen by nobody. */
export class ConnectionDto {
  /** @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  id!: string;
  workspaceId!: string;
  /** @example 'Shop' */
  name!: string;
  @ApiProperty({ enum: EXTERNAL_ENGINES, example: 'postgresql' })
  engine!: ExternalEngineName;
  @ApiProperty({ enum: ACCESS, example: 'read-only' })
  access!: ConnectionTarget['access'];
  /** For admins, as all that follows. @example 'db.example.com' */
  host?: string;
  /** @example 5432 */
  port?: number;
  /** @example 'shop' */
  database?: string;
  /** @example 'reader' */
  username?: string;
  tls?: TlsDto;
  createdAt?: string;
  /** Id of the person. */
  createdBy?: string;
  updatedAt?: string;
}

export class ConnectionListDto {
  data!: ConnectionDto[];
  page!: PageDto;
}

export class ConnectionErrorDto {
  /** @example 'source_unreachable' */
  code!: string;
  /** @example 'The server refused the password.' */
  detail!: string;
}

/** What became of a try to sign in. */
export class ConnectionTestDto {
  ok!: boolean;
  /** Milliseconds until it was signed in, or had failed. @example 12 */
  latencyMs!: number;
  /** @example '17.2' */
  serverVersion?: string;
  error?: ConnectionErrorDto;
}
