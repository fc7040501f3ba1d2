import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Id } from '../../../common/index.js';

/** What a webhook can be told of. */
export const WEBHOOK_EVENTS = [
  'rows.created',
  'rows.updated',
  'rows.deleted',
  'rows.restored',
  'schema.changed',
] as const;
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

export const WEBHOOK_STATES = ['active', 'paused', 'disabled'] as const;
export type WebhookState = (typeof WEBHOOK_STATES)[number];

/** What is in the way where a secret was encrypted under a key that a node does not have. */
export const UNREADABLE = 'secret_unreadable';

/** Why a webhook was given up: it failed for too long, its receiver said 410, whoever it runs as may not manage webhooks any more, its secret could not be read for too long. */
export const DISABLED_REASONS = ['failing', 'gone', 'rights_lost', UNREADABLE] as const;
export type DisabledReason = (typeof DISABLED_REASONS)[number];

/** An address that is told what changes in tables. */
@Entity({ name: 'webhooks' })
export class WebhookEntity {
  @PrimaryColumn('uuid') id!: Id;
  @Column('uuid', { name: 'workspace_id' }) workspaceId!: Id;
  @Column('text') name!: string;
  @Column('text') url!: string;
  @Column('json') events!: WebhookEvent[];
  /** What it signs with: opens in the vault, for this webhook only. */
  @Column('bytea', { name: 'sealed_secrets' }) sealedSecrets!: Buffer;
  /** Of the key that they were sealed under. */
  @Column('text', { name: 'key_id' }) keyId!: string;
  /** It tells what this person may see: who made it, or switched it on last. */
  @Column('uuid', { name: 'runs_as' }) runsAs!: Id;
  @Column('text') state!: WebhookState;
  @Column('text', { name: 'disabled_reason', nullable: true }) disabledReason!: DisabledReason | null;
  /** In vain, one after the other, since the last that was taken. */
  @Column('integer', { default: 0 }) attempts!: number;
  @Column('timestamptz', { name: 'failing_since', nullable: true }) failingSince!: Date | null;
  /** Nothing is sent before. */
  @Column('timestamptz', { name: 'next_at', default: () => 'now()' }) nextAt!: Date;
  @Column('uuid', { name: 'leased_by', nullable: true }) leasedBy!: Id | null;
  @Column('timestamptz', { name: 'lease_until', nullable: true }) leaseUntil!: Date | null;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('uuid', { name: 'created_by' }) createdBy!: Id;
  @Column('timestamptz', { name: 'updated_at' }) updatedAt!: Date;
}

/** How far a webhook has told of a table: the last number of its change log that was taken, or is none of its events. */
@Entity({ name: 'webhook_positions' })
export class WebhookPositionEntity {
  @PrimaryColumn('uuid', { name: 'webhook_id' }) webhookId!: Id;
  @PrimaryColumn('uuid', { name: 'table_id' }) tableId!: Id;
  @Column('text') epoch!: string;
  @Column('bigint') seq!: string;
}

/** One attempt to tell a receiver something. Kept for a while, so that people can see what came of it. */
@Entity({ name: 'webhook_deliveries' })
export class WebhookDeliveryEntity {
  @PrimaryColumn('uuid') id!: Id;
  @Column('uuid', { name: 'webhook_id' }) webhookId!: Id;
  @Column('text', { name: 'message_id' }) messageId!: string;
  @Column('text') type!: string;
  @Column('uuid', { name: 'table_id', nullable: true }) tableId!: Id | null;
  @Column('text', { nullable: true }) epoch!: string | null;
  @Column('bigint', { nullable: true }) seq!: string | null;
  /** Asked for by somebody; it moves nothing on. */
  @Column('boolean') manual!: boolean;
  @Column('integer') attempt!: number;
  @Column('boolean') ok!: boolean;
  @Column('integer', { nullable: true }) status!: number | null;
  @Column('text', { nullable: true }) error!: string | null;
  @Column('text') excerpt!: string;
  @Column('integer') ms!: number;
  @Column('timestamptz') at!: Date;
}
