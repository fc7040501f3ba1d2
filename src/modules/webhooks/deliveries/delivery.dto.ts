import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { MayBeAbsent, PageQuery, type Id, type PageDto } from '../../../common/index.js';
import { UNREADABLE } from '../settings/webhook.entity.js';

const OUTCOMES = ['delivered', 'failed'] as const;
const TYPES = ['rows.changed', 'schema.changed', 'reset', 'test'] as const;
const ERRORS = ['host_not_allowed', 'unreachable', 'timeout', UNREADABLE] as const;

export class DeliveriesQuery extends PageQuery {
  @ApiPropertyOptional({ enum: OUTCOMES, description: 'Those only.' })
  @MayBeAbsent()
  @IsIn(OUTCOMES)
  outcome?: (typeof OUTCOMES)[number];
}

/** One attempt. */
export class DeliveryDto {
  /** @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  id!: string;
  /** `webhook-id` of the message; the same for each attempt. @example 'msg_1hR0aIhWn8oCz1JcXz2xXkqQ0b6n0VYf' */
  messageId!: string;
  @ApiProperty({ enum: TYPES })
  type!: string;
  @ApiProperty({ type: String, format: 'uuid', nullable: true })
  tableId!: Id | null;
  @ApiProperty({ type: 'integer', nullable: true, description: 'Number in the change log of the table.' })
  seq!: number | null;
  /** Somebody asked for it: by a test, or by sending it again. */
  manual!: boolean;
  /** The how many of its message. @example 1 */
  attempt!: number;
  @ApiProperty({ enum: OUTCOMES })
  outcome!: (typeof OUTCOMES)[number];
  @ApiProperty({ type: 'integer', nullable: true, description: 'Status of the answer.', example: 200 })
  status!: number | null;
  @ApiProperty({ enum: ERRORS, nullable: true, description: 'Why there was no answer.' })
  error!: string | null;
  /** What the answer begins with, up to 1,000 bytes. @example 'ok' */
  response!: string;
  /** @example 42 */
  ms!: number;
  at!: string;
}

export class DeliveryListDto {
  data!: DeliveryDto[];
  page!: PageDto;
}
