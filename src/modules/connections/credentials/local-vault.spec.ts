import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { newId } from '../../../common/index.js';
import type { AppConfig } from '../../../config/index.js';
import { LocalVault } from './local-vault.js';

const vault = (encryptionKey: Buffer, ...previousEncryptionKeys: Buffer[]) =>
  new LocalVault({ encryptionKey, previousEncryptionKeys } as unknown as AppConfig);

describe('the vault', () => {
  const [key, other] = [randomBytes(32), randomBytes(32)];
  const id = newId();

  it('gives a secret back for its connection only, and shows nothing of it', async () => {
    const { sealed } = await vault(key).seal(id, 'Zoë’s pässword');
    expect(await vault(key).open(id, sealed)).toBe('Zoë’s pässword');
    expect(await vault(key).open(newId(), sealed)).toBeUndefined();
    expect(sealed.toString('latin1')).not.toContain('ssword');
    const again = await vault(key).seal(id, 'Zoë’s pässword');
    expect(again.sealed.equals(sealed)).toBe(false);
  });

  it('knows by the id inside which key a secret is under', async () => {
    const { sealed, keyId } = await vault(key).seal(id, 'secret');
    const during = vault(other, key);
    expect(during.keyId).not.toBe(keyId);
    expect(sealed.subarray(1, 9).toString('hex')).toBe(keyId);
    expect(await during.open(id, sealed)).toBe('secret');
    expect(await vault(other).open(id, sealed)).toBeUndefined();
    const resealed = await during.seal(id, 'secret');
    expect(resealed.keyId).toBe(during.keyId);
    expect(await vault(other).open(id, resealed.sealed)).toBe('secret');
  });

  it('opens nothing that was changed in any byte, or cut', async () => {
    const { sealed } = await vault(key).seal(id, 'secret');
    for (const at of sealed.keys()) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(await vault(key, other).open(id, changed)).toBeUndefined();
      expect(await vault(key).open(id, sealed.subarray(0, at))).toBeUndefined();
    }
  });
});
