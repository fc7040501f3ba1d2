import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Id } from '../../common/index.js';

/** A mail that waits to be sent, written in the transaction that it tells of. */
@Entity({ name: 'queued_mails' })
export class QueuedMailEntity {
  @PrimaryColumn('uuid') id!: Id;
  @Column('timestamptz') at!: Date;
  @Column('text') template!: string;
  /** Address and data, sealed: a link in it may be as good as a password. */
  @Column('bytea') sealed!: Buffer;
  @Column('integer') attempts!: number;
  /** Not before; pushed ahead by whoever is trying. */
  @Column('timestamptz', { name: 'next_at' }) nextAt!: Date;
}
