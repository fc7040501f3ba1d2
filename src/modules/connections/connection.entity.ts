import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Id } from '../../common/index.js';
import type { ConnectionTarget, ExternalEngineName, TlsChoice } from '../../engines/index.js';

/** An external database that a workspace works with. */
@Entity({ name: 'connections' })
export class ConnectionEntity {
  @PrimaryColumn('uuid') id!: Id;
  @Column('uuid', { name: 'workspace_id' }) workspaceId!: Id;
  @Column('text') name!: string;
  /** For uniqueness whatever the letter case. */
  @Column('text', { name: 'name_folded' }) nameFolded!: string;
  @Column('text') engine!: ExternalEngineName;
  @Column('text') host!: string;
  @Column('integer') port!: number;
  @Column('text') database!: string;
  @Column('text') username!: string;
  /** Opens in the vault, for this connection only. */
  @Column('bytea', { name: 'sealed_password' }) sealedPassword!: Buffer;
  /** Of the key that it was sealed under; it is inside as well. */
  @Column('text', { name: 'key_id' }) keyId!: string;
  @Column('text', { name: 'tls_mode' }) tlsMode!: TlsChoice['mode'];
  @Column('text', { name: 'tls_ca', nullable: true }) tlsCa!: string | null;
  @Column('text') access!: ConnectionTarget['access'];
  /** Another one with each change: engines are opened for a version. */
  @Column('integer') version!: number;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('uuid', { name: 'created_by' }) createdBy!: Id;
  @Column('timestamptz', { name: 'updated_at' }) updatedAt!: Date;
}
