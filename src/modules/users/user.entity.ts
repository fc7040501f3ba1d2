import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Id } from '../../common/index.js';

/** A person with an account. */
@Entity({ name: 'users' })
export class UserEntity {
  @PrimaryColumn('uuid') id!: Id;
  /** Normalised, see `normalizeEmail`; unique. */
  @Column('text') email!: string;
  @Column('text') name!: string;
  /** Left out of every read that does not ask for it by name. */
  @Column('text', { name: 'password_hash', select: false }) passwordHash?: string;
  @Column('text') status!: 'active' | 'suspended' | 'deleted';
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'updated_at' }) updatedAt!: Date;
}
