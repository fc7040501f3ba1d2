import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Id } from '../../../common/index.js';
import type { CellValue, ColumnOptions, ColumnTypeName } from '../../../query/index.js';

/** A column of a managed table. */
@Entity({ name: 'columns' })
export class ColumnEntity {
  @PrimaryColumn('uuid') id!: Id;
  @Column('uuid', { name: 'table_id' }) tableId!: Id;
  @Column('text') key!: string;
  @Column('text') name!: string;
  @Column('text', { name: 'name_folded' }) nameFolded!: string;
  @Column('text', { nullable: true }) description!: string | null;
  @Column('text') type!: ColumnTypeName;
  @Column('boolean') required!: boolean;
  @Column('boolean', { name: 'is_unique' }) unique!: boolean;
  @Column('jsonb', { name: 'default_value', nullable: true }) default!: CellValue;
  @Column('jsonb') options!: ColumnOptions;
  @Column('integer') position!: number;
  @Column('text', { name: 'physical_name' }) physicalName!: string;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'deleted_at', nullable: true }) deletedAt!: Date | null;
  /** The column or table with which it went to the trash, where it was not itself deleted; they come back together. */
  @Column('uuid', { name: 'deleted_with', nullable: true }) deletedWith!: Id | null;
}
