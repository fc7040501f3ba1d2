import { ApiProperty } from '@nestjs/swagger';
import type { PageDto } from '../../../common/index.js';

export class AuditActorDto {
  /** A person, or an API key; null for the system itself. */
  @ApiProperty({ type: String, format: 'uuid', nullable: true, example: '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' })
  id!: string | null;
  /**
   * As it was then.
   * @example 'Ada Lovelace'
   */
  name!: string;
  @ApiProperty({
    enum: ['session', 'token', 'api_key', 'system'],
    example: 'session',
    description: 'token: with a personal token of the person. Changes of rows do not tell, and say session.',
  })
  via!: 'session' | 'token' | 'api_key' | 'system';
}

export class AuditResourceDto {
  /** @example 'table' */
  type!: string;
  @ApiProperty({ type: String, format: 'uuid', nullable: true, example: '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a12' })
  id!: string | null;
  /**
   * As it was then; of a row its table's, as it is now.
   * @example 'Deals'
   */
  name!: string;
  /** Of a row: its table. @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a12' */
  tableId?: string;
}

/** One thing that somebody did. */
export class AuditLogEntryDto {
  /** Opaque, unlike that of any other entry. @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a10' */
  id!: string;
  /** @example '2026-11-22T20:45:00.000Z' */
  at!: string;
  actor!: AuditActorDto;
  /** @example 'table.updated' */
  action!: string;
  resource!: AuditResourceDto;
  /** What it was, as far as it changed; of rows fields by their keys of then. Values under names of secrets are not kept; more than 64 KiB is not kept either. */
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true, example: { name: 'Deals' } })
  before!: object | null;
  /** What it became. */
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true, example: { name: 'Big deals' } })
  after!: object | null;
  /** @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  requestId!: string;
  /** @example '203.0.113.7' */
  ip!: string;
  /** The change set that it belongs to; null for changes of metadata. */
  @ApiProperty({ type: String, format: 'uuid', nullable: true, example: null })
  changeSet!: string | null;
}

export class AuditLogListDto {
  data!: AuditLogEntryDto[];
  page!: PageDto;
}
