import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Id } from '../../../common/index.js';

/** A managed table. */
@Entity({ name: 'tables' })
export class TableEntity {
  @PrimaryColumn('uuid') id!: Id;
  @Column('uuid', { name: 'base_id' }) baseId!: Id;
  @Column('uuid', { name: 'workspace_id' }) workspaceId!: Id;
  /** Derived from the first name; stays when the name changes. */
  @Column('text') key!: string;
  @Column('text') name!: string;
  @Column('text', { name: 'name_folded' }) nameFolded!: string;
  @Column('text', { nullable: true }) description!: string | null;
  @Column('text', { nullable: true }) color!: string | null;
  @Column('text', { nullable: true }) icon!: string | null;
  @Column('double precision') position!: number;
  /** The key, but for a deleted table, which steps aside under another name. */
  @Column('text', { name: 'physical_name' }) physicalName!: string;
  /** Moves on with every change of structure; writers that know an older one are refused by the mini-DB. */
  @Column('integer', { name: 'schema_version' }) schemaVersion!: number;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'updated_at' }) updatedAt!: Date;
  @Column('timestamptz', { name: 'deleted_at', nullable: true }) deletedAt!: Date | null;
}
