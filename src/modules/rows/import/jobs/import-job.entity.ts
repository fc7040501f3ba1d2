import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Caller, Id, ProblemBody } from '../../../../common/index.js';
import type { SourceWish } from '../external/source-wish.js';
import type { FileForm } from '../file/row-file.js';
import type { ImportAnswerDto, ImportTableAnswerDto } from '../import.dto.js';
import type { RowsWish } from '../import-options.js';

/** `interrupted`: nobody works at it, and some of it may be written; it goes on when it is asked for again under its key. */
export const IMPORT_STATES = ['running', 'done', 'failed', 'cancelled', 'interrupted'] as const;
export type ImportState = (typeof IMPORT_STATES)[number];

/** What is asked for: rows of a table that is there, or a table for them; out of a file, or of an external database. */
export type ImportWish = (
  ({ readonly kind: 'rows' } & RowsWish) | { readonly kind: 'table'; readonly name: string }
) & {
  readonly source?: SourceWish;
};

/** How far an import is. */
export interface ProgressCounts {
  /** Of the file; one that is read twice begins anew. */
  readonly bytesRead: number;
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly failed: number;
}
export const NO_PROGRESS: ProgressCounts = { bytesRead: 0, created: 0, updated: 0, unchanged: 0, failed: 0 };

/** An import, under way or over. */
@Entity({ name: 'imports' })
export class ImportJobEntity {
  /** The change set of what it writes, and the name of its mark in the base. */
  @PrimaryColumn('uuid') id!: Id;
  @Column('uuid', { name: 'workspace_id' }) workspaceId!: Id;
  @Column('uuid', { name: 'base_id' }) baseId!: Id;
  /** Of one that makes its table: the id that the table is to have. */
  @Column('uuid', { name: 'table_id' }) tableId!: Id;
  @Column('jsonb') wish!: ImportWish;
  @Column('jsonb') form!: FileForm;
  /** Who asked for it, in whose name it is done. */
  @Column('jsonb') caller!: Caller;
  /** Of the file. */
  @Column('bigint') bytes!: string;
  /** The file is kept by the storage of files, so that any node can do the work. */
  @Column('boolean') stored!: boolean;
  /** The file is where it is worked at: nothing is told of as accepted before. */
  @Column('boolean') arrived!: boolean;
  @Column('bytea', { name: 'key_name', nullable: true }) keyName!: Buffer | null;
  @Column('bytea', { name: 'key_request', nullable: true }) keyRequest!: Buffer | null;
  @Column('text') state!: ImportState;
  @Column('boolean', { name: 'cancel_requested' }) cancelRequested!: boolean;
  /** Who works at it says so again and again; after `leaseUntil` it is somebody else's. */
  @Column('uuid', { name: 'leased_by', nullable: true }) leasedBy!: Id | null;
  @Column('timestamptz', { name: 'lease_until', nullable: true }) leaseUntil!: Date | null;
  /** Times that it was begun or taken up. */
  @Column('integer') attempts!: number;
  /** Not taken up before. */
  @Column('timestamptz', { name: 'next_at' }) nextAt!: Date;
  @Column('jsonb') progress!: ProgressCounts;
  /** What a caller who waited was answered, or would have been. */
  // Not jsonb: its members come again in the order in which they were answered.
  @Column('json', { nullable: true }) result!: ImportAnswerDto | ImportTableAnswerDto | null;
  @Column('json', { nullable: true }) problem!: ProblemBody | null;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'finished_at', nullable: true }) finishedAt!: Date | null;
}
