import { createHmac, timingSafeEqual } from 'node:crypto';
import { invalid, keysFor, type Id, type Keyring } from '../../../../common/index.js';

/** Where the chain of a table's log stood at a time. */
export interface Checkpoint {
  readonly tableId: Id;
  readonly epoch: string;
  readonly seq: number;
  /** The link of that number, in hexadecimal digits. */
  readonly hash: string;
  /** RFC 3339. */
  readonly at: string;
}

/**
 * Signs checkpoints (HMAC-SHA-256, by a key that is derived from the server's encryption key), so that they can be kept elsewhere: whoever can
 * change the whole database, and so make a chain anew, cannot make those. A key that was replaced still tells its own as long as it is among `ENCRYPTION_KEYS_PREVIOUS`.
 */
export class CheckpointSigner {
  private readonly keys: Keyring;

  constructor(...masterKeys: Keyring) {
    this.keys = keysFor('checkpoint v1', masterKeys);
  }

  /** The checkpoint with its signature as one text. */
  seal(checkpoint: Checkpoint): string {
    const payload = Buffer.from(JSON.stringify(checkpoint)).toString('base64url');
    return `${payload}.${signed(payload, this.keys[0]).toString('base64url')}`;
  }

  /** @throws Problem `validation_failed` it was not signed here, or is of another table */
  open(text: string, tableId: Id): Checkpoint {
    const [payload = '', signature = ''] = text.split('.');
    const given = Buffer.from(signature, 'base64url');
    const isOurs = this.keys.some((key) => {
      const expected = signed(payload, key);
      return given.length === expected.length && timingSafeEqual(given, expected);
    });
    if (!isOurs) throw refuse('not_signed_here', 'The checkpoint was not signed by this server.');
    const checkpoint = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Checkpoint;
    if (checkpoint.tableId !== tableId) throw refuse('other_table', 'The checkpoint is one of another table.');
    return checkpoint;
  }
}

const signed = (payload: string, key: Buffer): Buffer => createHmac('sha256', key).update(payload).digest();

const refuse = (code: string, detail: string) => invalid([{ pointer: '/checkpoint', code, detail }]);
