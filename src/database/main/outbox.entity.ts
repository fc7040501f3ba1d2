import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Id } from '../../common/index.js';

/** An event that waits to be published; written in the transaction that it tells of (transactional outbox). */
@Entity({ name: 'outbox' })
export class OutboxEntity {
  @PrimaryColumn('uuid') id!: Id;
  @Column('timestamptz') at!: Date;
  @Column('text') topic!: string;
  @Column('jsonb') payload!: object;
}
