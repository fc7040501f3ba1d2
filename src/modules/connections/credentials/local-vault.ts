import { Inject, Injectable } from '@nestjs/common';
import { keysFor, sealerFor, type Id, type Sealer } from '../../../common/index.js';
import { APP_CONFIG, encryptionKeysOf, type AppConfig } from '../../../config/index.js';
import { CredentialVault, type SealedSecret } from './credential-vault.js';

/** The first byte; another one where a future form begins. */
const FORM = 1;
const KEY_ID_BYTES = 8;

/**
 * The vault under the server's own keys: AES-256-GCM with a random nonce, the id of what it is for as additional data, and in front the id of
 * the key, so that no key has to be guessed.
 */
@Injectable()
export class LocalVault extends CredentialVault {
  readonly keyId: string;
  private readonly sealers: ReadonlyMap<string, Sealer>;
  private readonly present: Sealer;

  constructor(@Inject(APP_CONFIG) config: AppConfig) {
    super();
    const keys = encryptionKeysOf(config);
    const sealers = keys.map((key): [string, Sealer] => [idOf(key), sealerFor('credentials v1', [key])]);
    this.keyId = idOf(keys[0]);
    this.present = sealerFor('credentials v1', [keys[0]]);
    this.sealers = new Map(sealers);
  }

  seal(holderId: Id, secret: string): Promise<SealedSecret> {
    const front = Buffer.concat([Buffer.of(FORM), Buffer.from(this.keyId, 'hex')]);
    const sealed = Buffer.concat([front, this.present.seal(holderId, secret)]);
    return Promise.resolve({ sealed, keyId: this.keyId });
  }

  open(holderId: Id, sealed: Buffer): Promise<string | undefined> {
    const keyId = sealed.subarray(1, 1 + KEY_ID_BYTES).toString('hex');
    const sealer = sealed[0] === FORM ? this.sealers.get(keyId) : undefined;
    return Promise.resolve(sealer?.open(holderId, sealed.subarray(1 + KEY_ID_BYTES)));
  }
}

/** Tells keys apart and says nothing of them. */
const idOf = (key: Buffer): string => keysFor('key id v1', [key])[0].subarray(0, KEY_ID_BYTES).toString('hex');
