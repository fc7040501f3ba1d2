import { Problem } from './errors/index.js';
import { sealerFor, type Keyring, type Sealer } from './seal.js';

const VALID_MS = 15 * 60_000;

interface Sealed<T> {
  readonly digest: string;
  readonly kept?: T;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** Tokens that bind a change to its dry run, for 15 minutes, and keep what that found; only this server makes and reads them. */
export class ConfirmTokens<T = undefined> {
  private readonly sealer: Sealer;

  /** `changed` says what is not as it was when a token is good no more. */
  constructor(
    purpose: string,
    private readonly changed: string,
    keys: Keyring,
  ) {
    this.sealer = sealerFor(purpose, keys);
  }

  /** `owner`: what is changed. `digest`: of all that the dry run said it comes to, and that must not be another then. */
  make(owner: string, digest: string, ...[kept]: T extends undefined ? [] : [kept: T]): string {
    const sealed: Sealed<T> = { digest, ...(kept === undefined ? {} : { kept }), until: Date.now() + VALID_MS };
    return this.sealer.seal(owner, JSON.stringify(sealed)).toString('base64url');
  }

  /** What was kept. @throws Problem `confirmation_stale` it is of something else, too old, or it would not come to the same any more */
  check(owner: string, token: string, digest: string): T {
    const text = this.sealer.open(owner, Buffer.from(token, 'base64url'));
    const sealed = text === undefined ? undefined : (JSON.parse(text) as Sealed<T>);
    if (sealed?.digest === digest && sealed.until > Date.now()) return sealed.kept as T;
    throw new Problem('confirmation_stale', {
      detail: `${this.changed}, or something else was asked for. Make the dry run again, and send its confirmToken within 15 minutes.`,
    });
  }
}
