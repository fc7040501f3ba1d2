import { Problem } from '../../common/index.js';
import type { ConnectionTarget } from '../../engines/index.js';
import type { ConnectionEntity } from './connection.entity.js';
import type { CredentialVault } from './credentials/credential-vault.js';

/** All that an engine needs to know of a connection. @throws Problem `source_unreachable` its password cannot be decrypted */
export async function targetOf(connection: ConnectionEntity, vault: CredentialVault): Promise<ConnectionTarget> {
  const { id, engine, host, port, database, username, access, createdBy: holder } = connection;
  const password = await vault.open(id, connection.sealedPassword);
  if (password === undefined)
    throw new Problem('source_unreachable', {
      detail: 'The password of this connection cannot be read any more; an admin has to enter it again.',
    });
  return { id, holder, engine, host, port, database, username, password, access, tls: tlsOf(connection) };
}

export const tlsOf = ({ tlsMode, tlsCa }: Pick<ConnectionEntity, 'tlsMode' | 'tlsCa'>): ConnectionTarget['tls'] => ({
  mode: tlsMode,
  ...(tlsCa === null ? {} : { ca: tlsCa }),
});
