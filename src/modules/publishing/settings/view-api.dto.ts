import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsObject,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  MinLength,
  ValidateBy,
  ValidateNested,
} from 'class-validator';
import { MAX_LIMIT, MayBeAbsent, ROLES, type Role } from '../../../common/index.js';
import { COLUMN_TYPES, type ColumnTypeName } from '../../../query/index.js';
import { isReserved, MAX_SLUG, MIN_SLUG, SLUG } from './slug.js';
import { AUTH_MODES, type AuthMode } from './published-contract.js';

const MAX_KEYS = 250;
const MAX_ORIGINS = 50;
const DAY_SECONDS = 86_400;

/** An origin as browsers write it (RFC 6454), or `*`. */
const isOrigin = (value: unknown): boolean => {
  if (value === '*') return true;
  if (typeof value !== 'string' || !URL.canParse(value)) return false;
  const { origin, protocol } = new URL(value);
  return origin === value && (protocol === 'https:' || protocol === 'http:');
};

const IsOrigin = (): PropertyDecorator =>
  ValidateBy(
    {
      name: 'isOrigin',
      validator: {
        validate: isOrigin,
        defaultMessage: () =>
          'Each is * or an origin such as https://www.example.com, without a path or a slash behind it.',
      },
    },
    { each: true },
  );

const IsNotReserved = (): PropertyDecorator =>
  ValidateBy({
    name: 'isNotReserved',
    validator: {
      validate: (value) => typeof value !== 'string' || !isReserved(value),
      defaultMessage: () => 'This word is reserved.',
    },
  });

/** Keys of columns, each once. */
export const IsKeyList = (): PropertyDecorator =>
  applyDecorators(
    IsArray(),
    ArrayMaxSize(MAX_KEYS),
    ArrayUnique(),
    IsString({ each: true }),
    MaxLength(255, { each: true }),
  );

const isWhole = (least: number, most: number): PropertyDecorator =>
  applyDecorators(IsInt(), Min(least), Max(most), ApiProperty({ type: 'integer', minimum: least, maximum: most }));

export class RateLimitDto {
  /** Requests that one key may make in a window, or one address where there is no key. @example 600 */
  @isWhole(1, 10_000_000)
  limit!: number;
  /** Length of a window. @example 60 */
  @isWhole(1, DAY_SECONDS)
  windowSeconds!: number;
}

export class SettingsDto {
  @ApiPropertyOptional({ default: true, description: 'Disabled, it answers as if it were not there.' })
  @MayBeAbsent()
  @IsBoolean()
  enabled?: boolean;

  @ApiPropertyOptional({
    pattern: SLUG.source,
    minLength: MIN_SLUG,
    maxLength: MAX_SLUG,
    example: 'open-deals',
    description: 'Its name in the address; one that nobody guesses when none is chosen.',
  })
  @MayBeAbsent()
  @IsString()
  @MinLength(MIN_SLUG)
  @MaxLength(MAX_SLUG)
  @Matches(SLUG, { message: 'slug has lower-case letters and digits, with single hyphens between.' })
  @IsNotReserved()
  slug?: string;

  @ApiPropertyOptional({
    enum: AUTH_MODES,
    default: 'key',
    description: '`public`: everybody who knows the address may read; `key`: whoever has one of its keys.',
  })
  @MayBeAbsent()
  @IsIn(AUTH_MODES)
  auth?: AuthMode;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: DAY_SECONDS,
    default: 0,
    description:
      'For how long answers may be kept, and be that old, between here and the reader; 0: they are always exact.',
  })
  @MayBeAbsent()
  @IsInt()
  @Min(0)
  @Max(DAY_SECONDS)
  cacheSeconds?: number;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: DAY_SECONDS,
    default: 0,
    description:
      'Of views of other databases: for how long beyond `cacheSeconds` readers get the last answer at once, with its `Age`, while the next one is made behind it; 0: they wait for it.',
  })
  @MayBeAbsent()
  @IsInt()
  @Min(0)
  @Max(DAY_SECONDS)
  staleWhileRevalidateSeconds?: number;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: DAY_SECONDS,
    default: 0,
    description:
      'For how long readers get the last answer, marked by `Warning` and `Age`, while a database of yours that it is made of cannot be reached or does not answer; 0: they get its failure.',
  })
  @MayBeAbsent()
  @IsInt()
  @Min(0)
  @Max(DAY_SECONDS)
  staleIfErrorSeconds?: number;

  @ApiPropertyOptional({ type: RateLimitDto, description: '600 in a minute without it.' })
  @MayBeAbsent()
  @IsObject()
  @ValidateNested()
  @Type(() => RateLimitDto)
  rateLimit?: RateLimitDto;

  @ApiPropertyOptional({
    type: [String],
    example: ['https://www.example.com'],
    description: "Of browsers' pages that may read; `*` is any. None without it.",
  })
  @MayBeAbsent()
  @IsArray()
  @ArrayMaxSize(MAX_ORIGINS)
  @ArrayUnique()
  @IsOrigin()
  corsOrigins?: string[];

  @ApiPropertyOptional({
    type: [String],
    example: ['qty'],
    description: 'Keys that readers may filter by; none without it.',
  })
  @MayBeAbsent()
  @IsKeyList()
  filterable?: string[];

  @ApiPropertyOptional({
    type: [String],
    example: ['qty'],
    description: 'Keys that readers may order by; none without it.',
  })
  @MayBeAbsent()
  @IsKeyList()
  sortable?: string[];

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_LIMIT, default: 100, description: 'Of one page.' })
  @MayBeAbsent()
  @IsInt()
  @Min(1)
  @Max(MAX_LIMIT)
  maxLimit?: number;

  @ApiPropertyOptional({ default: false, description: 'Whether its address shows a page that explains it to people.' })
  @MayBeAbsent()
  @IsBoolean()
  page?: boolean;
}

export class PublishDto extends SettingsDto {
  @ApiPropertyOptional({
    default: false,
    description:
      'Whether the view as it is now gets an address of its own beside what was published, which goes on for its readers as it is: for changes that would break them.',
  })
  @MayBeAbsent()
  @IsBoolean()
  asNewVersion?: boolean;
}

/** What is not given stays, and so does what is published of the view. */
export class UpdateViewApiDto extends SettingsDto {}

export class PublishedColumnDto {
  /** @example 'qty' */
  key!: string;
  /** @example 'Qty' */
  name!: string;
  @ApiProperty({ enum: COLUMN_TYPES, example: 'integer' })
  type!: ColumnTypeName;
  /** Whether a cell holds a list of such values. @example false */
  list!: boolean;
}

export class RulesLeftOutDto {
  tableId!: string;
  /** @example 'Deals' */
  table!: string;
  /** How many rules it had. @example 2 */
  rules!: number;
  @ApiProperty({
    type: [String],
    example: ['salary'],
    description: 'Keys of the columns that one of them hides from somebody.',
  })
  hiddenColumns!: readonly string[];
}

export class PublishedRightsDto {
  /** Id of the person. */
  userId!: string;
  @ApiProperty({ enum: ROLES, example: 'admin' })
  role!: Role;
  @ApiProperty({ format: 'date-time' })
  at!: string;
  @ApiProperty({
    type: [RulesLeftOutDto],
    description:
      'Tables whose rules kept somebody, then, from rows or columns that the view is made of, behind links, too: none of them keeps anything from readers.',
  })
  rules!: readonly RulesLeftOutDto[];
}

export class ViewApiDto {
  viewId!: string;
  enabled!: boolean;
  /** @example 'open-deals' */
  slug!: string;
  /** Path of the data on this host. @example '/public/views/open-deals/data' */
  url!: string;
  @ApiProperty({ enum: AUTH_MODES })
  auth!: AuthMode;
  /** @example 0 */
  cacheSeconds!: number;
  /** @example 0 */
  staleWhileRevalidateSeconds!: number;
  /** @example 0 */
  staleIfErrorSeconds!: number;
  rateLimit!: RateLimitDto;
  /** @example ['https://www.example.com'] */
  corsOrigins!: string[];
  /** @example ['qty'] */
  filterable!: string[];
  /** @example ['qty'] */
  sortable!: string[];
  /** @example 100 */
  maxLimit!: number;
  page!: boolean;
  @ApiProperty({
    type: [PublishedColumnDto],
    description:
      'What is shown. Columns that come to the view later are not, before it is published again; ids of people never are.',
  })
  columns!: PublishedColumnDto[];
  @ApiProperty({
    type: PublishedRightsDto,
    nullable: true,
    description:
      'With whose rights it was published last, which its readers have since: they see of the view what he sees. Null where it was published before this was kept.',
  })
  rights!: PublishedRightsDto | null;
  /** Number of the newest version, which is told here; others go on beside it. @example 1 */
  apiVersion!: number;
  /** Version of the view that is shown. @example 1 */
  viewVersion!: number;
  /** One more with each change of what is said here. @example 1 */
  version!: number;
  createdAt!: string;
  /** Id of the person. */
  createdBy!: string;
  updatedAt!: string;
  /** Id of the person. */
  updatedBy!: string;
}
