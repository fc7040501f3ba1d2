import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Id } from '../../../common/index.js';

/** A base: a group of tables that may link to each other; one schema in the mini-DB. */
@Entity({ name: 'bases' })
export class BaseEntity {
  @PrimaryColumn('uuid') id!: Id;
  @Column('uuid', { name: 'workspace_id' }) workspaceId!: Id;
  @Column('text') name!: string;
  /** For uniqueness whatever the letter case. */
  @Column('text', { name: 'name_folded' }) nameFolded!: string;
  @Column('text', { nullable: true }) description!: string | null;
  @Column('text', { nullable: true }) color!: string | null;
  @Column('text', { nullable: true }) icon!: string | null;
  @Column('double precision') position!: number;
  /** Schema in the mini-DB; never changes. */
  @Column('text', { name: 'schema_name' }) schemaName!: string;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'updated_at' }) updatedAt!: Date;
  @Column('timestamptz', { name: 'deleted_at', nullable: true }) deletedAt!: Date | null;
}
