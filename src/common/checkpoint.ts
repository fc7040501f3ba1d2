import { createHmac, timingSafeEqual } from 'node:crypto';
import { invalid } from './errors/index.js';
import { keysFor, type Keyring } from './seal.js';

/** Where a hash chain stood at a time. */
export interface ChainLink {
  readonly seq: number;
  /** The link of that number, in hexadecimal digits. */
  readonly hash: string;
}

/** Whose log a chain is of. */
export type ChainOwner = 'table' | 'workspace';

/** A link of the chain of one owner, which its id names as `tableId` or `workspaceId`. */
export type Checkpoint<O extends ChainOwner> = ChainLink & Readonly<Record<`${O}Id`, string>>;

/**
 * Signs checkpoints (HMAC-SHA-256, by a key that is derived from the server's encryption key), so that they can be kept elsewhere: whoever can
 * change the whole database, and so make a chain anew, cannot make those. A key that was replaced still tells its own as long as it is among `ENCRYPTION_KEYS_PREVIOUS`.
 */
export class CheckpointSigner<O extends ChainOwner, C extends Checkpoint<O>> {
  private readonly keys: Keyring;

  constructor(
    private readonly owner: O,
    ...masterKeys: Keyring
  ) {
    this.keys = keysFor('checkpoint v1', masterKeys);
  }

  /** The checkpoint with its signature, and both as one text. */
  seal(checkpoint: C): C & { readonly signature: string; readonly token: string } {
    const payload = Buffer.from(JSON.stringify(checkpoint)).toString('base64url');
    const signature = signed(payload, this.keys[0]).toString('base64url');
    return { ...checkpoint, signature, token: `${payload}.${signature}` };
  }

  /** @throws Problem `validation_failed` it was not signed here, or is of another table or workspace */
  open(token: string, id: string): C {
    const [payload = '', signature = ''] = token.split('.');
    const given = Buffer.from(signature, 'base64url');
    const isOurs = this.keys.some((key) => {
      const expected = signed(payload, key);
      return given.length === expected.length && timingSafeEqual(given, expected);
    });
    if (!isOurs) throw refuse('not_signed_here', 'The checkpoint was not signed by this server.');
    const checkpoint = JSON.parse(Buffer.from(payload, 'base64url').toString()) as C;
    if (checkpoint[`${this.owner}Id`] !== id)
      throw refuse(`other_${this.owner}`, `The checkpoint is not one of this ${this.owner}.`);
    return checkpoint;
  }
}

const signed = (payload: string, key: Buffer): Buffer => createHmac('sha256', key).update(payload).digest();

const refuse = (code: string, detail: string) => invalid([{ pointer: '/checkpoint', code, detail }]);
