import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Id } from '../../../common/index.js';
import type { StoredRule } from './rule.js';

/** The rules of a table, which are part of its structure: its version moves on with them. */
@Entity({ name: 'table_rules' })
export class TableRulesEntity {
  @PrimaryColumn('uuid', { name: 'table_id' }) tableId!: Id;
  @Column('uuid', { name: 'base_id' }) baseId!: Id;
  @Column('uuid', { name: 'workspace_id' }) workspaceId!: Id;
  @Column('integer') version!: number;
  @Column('jsonb') rules!: readonly StoredRule[];
  @Column('timestamptz', { name: 'updated_at' }) updatedAt!: Date;
  @Column('uuid', { name: 'updated_by', nullable: true }) updatedBy!: Id | null;
}
