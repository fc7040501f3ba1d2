import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Id } from '../../../common/index.js';
import { PublishedContract } from './published-contract.js';

/** A version of a published view that goes on beside the one that has followed it, as it was published. */
@Entity({ name: 'view_api_versions' })
export class FormerVersionEntity extends PublishedContract {
  @PrimaryColumn('uuid', { name: 'view_id' }) viewId!: Id;
  @PrimaryColumn('integer', { name: 'api_version' }) apiVersion!: number;
  /** When another one followed. */
  @Column('timestamptz', { name: 'deprecated_at' }) deprecatedAt!: Date;
  /** From then on it is not there any more; null: nobody has said when. */
  @Column('timestamptz', { name: 'sunset_at', nullable: true }) sunsetAt!: Date | null;
}
