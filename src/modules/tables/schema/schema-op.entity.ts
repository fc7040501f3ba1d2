import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Id } from '../../../common/index.js';
import type { Actor, AuditEntry, OutboxEvent } from '../../../database/main/index.js';
import type { BaseEntity } from '../bases/base.entity.js';
import type { ColumnEntity } from '../columns/column.entity.js';
import type { ColumnConversionEntity } from '../columns/convert/background/column-conversion.entity.js';
import type { RestoredBase } from '../restore/restored-records.js';
import type { TableRulesEntity } from '../rules/table-rules.entity.js';
import type { TableEntity } from '../tables/table.entity.js';

/** The metadata as it will be once the mini-DB has changed: whole records, written as they stand. */
export interface MetadataPatch {
  /** A base out of a backup: what is there of it goes first. */
  readonly restored?: RestoredBase;
  readonly bases?: readonly BaseEntity[];
  readonly tables?: readonly TableEntity[];
  readonly columns?: readonly ColumnEntity[];
  readonly rules?: readonly TableRulesEntity[];
  readonly conversions?: readonly ColumnConversionEntity[];
  /** JSON of the views that come with it, for whoever keeps them: what stands in it stays as it was sent. */
  readonly views?: string;
  /** Records that are no more. */
  readonly removed?: { readonly tables?: readonly Id[]; readonly columns?: readonly Id[] };
  readonly audit: readonly [AuditEntry, ...AuditEntry[]];
  readonly events: readonly OutboxEvent[];
}

/** A structure change on its way through both databases; see SchemaSaga. At most one of a base is pending. */
@Entity({ name: 'schema_ops' })
export class SchemaOpEntity {
  @PrimaryColumn('uuid') id!: Id;
  @Column('uuid', { name: 'base_id' }) baseId!: Id;
  @Column('uuid', { name: 'workspace_id' }) workspaceId!: Id;
  @Column('text') kind!: string;
  @Column('jsonb') payload!: {
    readonly schema: string;
    readonly patch: MetadataPatch;
    readonly makesSchema?: true;
    /** For a repetition of the request: what was asked for (a digest), and the JSON of what it is answered with. */
    readonly repeat?: { readonly request: string; readonly result?: string };
  };
  /** Of a request with an idempotency key: nothing that is not failed has it twice. */
  @Column('bytea', { name: 'operation_key', nullable: true }) operationKey!: Buffer | null;
  @Column('jsonb') actor!: Actor;
  @Column('text') state!: 'pending' | 'done' | 'failed';
  @Column('text', { nullable: true }) error!: string | null;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'finished_at', nullable: true }) finishedAt!: Date | null;
}
