import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  Max,
  Min,
  ValidateBy,
} from 'class-validator';
import { isId, IsName, IsText, MayBeAbsent, type Id, type PageDto } from '../../../common/index.js';
import {
  DISABLED_REASONS,
  WEBHOOK_EVENTS,
  WEBHOOK_STATES,
  type DisabledReason,
  type WebhookEvent,
  type WebhookState,
} from './webhook.entity.js';

export const MAX_TABLES = 100;
const MAX_URL = 2_000;
const MAX_OVERLAP_SECONDS = 30 * 86_400;
const EXAMPLE_ID = '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11';

const TableIds = (): PropertyDecorator =>
  applyDecorators(
    IsArray(),
    ArrayMinSize(1),
    ArrayMaxSize(MAX_TABLES),
    ArrayUnique(),
    ValidateBy(
      { name: 'isId', validator: { validate: isId, defaultMessage: () => 'Each is the id of a table.' } },
      { each: true },
    ),
  );
const TABLES = {
  type: 'array' as const,
  items: { type: 'string', format: 'uuid', example: EXAMPLE_ID },
  minItems: 1,
  maxItems: MAX_TABLES,
  description: 'Tables of the workspace, from any of its bases.',
};

const Events = (): PropertyDecorator =>
  applyDecorators(IsArray(), ArrayMinSize(1), ArrayUnique(), IsIn(WEBHOOK_EVENTS, { each: true }));
const EVENTS = { enum: WEBHOOK_EVENTS, isArray: true, description: 'What is told; all of it without.' };

export class CreateWebhookDto {
  /** @example 'Warehouse' */
  @IsName()
  name!: string;

  /** Where it is sent to, by POST. @example 'https://hooks.example.com/deals' */
  @IsText(MAX_URL)
  url!: string;

  @ApiProperty(TABLES)
  @TableIds()
  tables!: Id[];

  @ApiPropertyOptional(EVENTS)
  @MayBeAbsent()
  @Events()
  events?: WebhookEvent[];
}

export class UpdateWebhookDto {
  @MayBeAbsent()
  @IsName()
  name?: string;

  /** Another host hears nothing that is signed with the old secret if you rotate it, too. @example 'https://hooks.example.com/deals' */
  @MayBeAbsent()
  @IsText(MAX_URL)
  url?: string;

  @ApiPropertyOptional({
    ...TABLES,
    description: 'Instead of those so far. Of new ones it tells what comes from now on.',
  })
  @MayBeAbsent()
  @TableIds()
  tables?: Id[];

  @ApiPropertyOptional({ ...EVENTS, description: 'Instead of those so far.' })
  @MayBeAbsent()
  @Events()
  events?: WebhookEvent[];

  @ApiPropertyOptional({
    description:
      '`false` pauses it; `true` sets it going again from where it stood, also one that was given up, and as you from now on.',
  })
  @MayBeAbsent()
  @IsBoolean()
  active?: boolean;
}

export class RotateWebhookSecretDto {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: MAX_OVERLAP_SECONDS,
    default: 86_400,
    description: 'For how long messages are signed with the old one, too.',
  })
  @MayBeAbsent()
  @IsInt()
  @Min(0)
  @Max(MAX_OVERLAP_SECONDS)
  overlapSeconds?: number;
}

export class WebhookFailingDto {
  /** When the first of the attempts failed. */
  since!: string;
  /** In vain, one after the other. @example 3 */
  attempts!: number;
  nextAttemptAt!: string;
}

export class WebhookDto {
  /** @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  id!: string;
  workspaceId!: string;
  /** @example 'Warehouse' */
  name!: string;
  /** @example 'https://hooks.example.com/deals' */
  url!: string;
  @ApiProperty({ ...TABLES, minItems: 0, description: 'Without those that were deleted for good.' })
  tables!: Id[];
  @ApiProperty(EVENTS)
  events!: WebhookEvent[];
  @ApiProperty({ enum: WEBHOOK_STATES, description: '`disabled`: it was given up, see `disabledReason`.' })
  state!: WebhookState;
  @ApiProperty({ enum: DISABLED_REASONS, nullable: true })
  disabledReason!: DisabledReason | null;
  @ApiProperty({ type: WebhookFailingDto, nullable: true, description: 'null: the last attempt was taken.' })
  failing!: WebhookFailingDto | null;
  /** Id of the person whose rights it has: who made it, or switched it on last. */
  runsAs!: string;
  createdAt!: string;
  createdBy!: string;
  updatedAt!: string;
}

export class CreatedWebhookDto extends WebhookDto {
  /** What messages are signed with: shown now and never again. @example 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD' */
  secret!: string;
}

export class WebhookSecretDto {
  /** Shown now and never again. @example 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD' */
  secret!: string;
  /** Until when messages are signed with the old one, too. */
  previousUntil!: string;
}

export class WebhookListDto {
  data!: WebhookDto[];
  page!: PageDto;
}
