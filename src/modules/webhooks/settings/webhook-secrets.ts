import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Id } from '../../../common/index.js';
import { CredentialVault } from '../../connections/index.js';
import type { WebhookEntity } from './webhook.entity.js';

export const SECRET_PREFIX = 'whsec_';

/** What a webhook signs with: its secret, and for a while the one before. */
export interface WebhookSecrets {
  readonly current: string;
  readonly previous?: { readonly secret: string; readonly until: string };
}

type Sealed = Pick<WebhookEntity, 'sealedSecrets' | 'keyId'>;

/** A new one, in the form of the Standard Webhooks specification: 32 random bytes in base64. */
export const newWebhookSecret = (): string => SECRET_PREFIX + randomBytes(32).toString('base64');

/** The secrets that a message is signed with at a time, newest first. */
export const secretsAt = ({ current, previous }: WebhookSecrets, at: Date): readonly string[] => [
  current,
  ...(previous && new Date(previous.until) > at ? [previous.secret] : []),
];

/** The bytes of a secret. */
export const keyOfSecret = (secret: string): Buffer => Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64');

/** Keeps the secrets of webhooks under the keys that passwords of connections are kept under. */
@Injectable()
export class SealedSecrets {
  constructor(private readonly vault: CredentialVault) {}

  async seal(webhookId: Id, secrets: WebhookSecrets): Promise<Sealed> {
    const { sealed, keyId } = await this.vault.seal(webhookId, JSON.stringify(secrets));
    return { sealedSecrets: sealed, keyId };
  }

  /** @returns undefined when none of the keys opens them */
  async open({ id, sealedSecrets }: Pick<WebhookEntity, 'id' | 'sealedSecrets'>): Promise<WebhookSecrets | undefined> {
    const text = await this.vault.open(id, sealedSecrets);
    return text === undefined ? undefined : (JSON.parse(text) as WebhookSecrets);
  }
}
