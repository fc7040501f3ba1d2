import { foldName, invalid } from '../../common/index.js';
import type { TlsDto, UpdateConnectionDto } from './connection.dto.js';
import type { ConnectionEntity } from './connection.entity.js';

type Tls = Pick<ConnectionEntity, 'tlsMode' | 'tlsCa'>;

export const toTls = (tls: TlsDto | undefined): Tls => ({ tlsMode: tls?.mode ?? 'disable', tlsCa: tls?.ca ?? null });

/** What a change comes to. */
export interface ChangedConnection {
  readonly after: ConnectionEntity;
  /** It is another database: what was found in the former one says nothing of it. */
  readonly elsewhere: boolean;
}

/**
 * A connection with what was given, its password apart.
 * @throws Problem `validation_failed` it would send the password, which whoever changes it may not know, to another server
 */
export function changedConnection(before: ConnectionEntity, input: UpdateConnectionDto): ChangedConnection {
  const { engine = before.engine, host = before.host, port = before.port, database = before.database } = input;
  const otherServer = engine !== before.engine || host !== before.host || port !== before.port;
  if (otherServer && input.password === undefined) throw passwordRequired();
  const { name = before.name, username = before.username, access = before.access } = input;
  return {
    after: {
      ...before,
      ...{ name, nameFolded: foldName(name), engine, host, port, database, username, access },
      ...(input.tls ? toTls(input.tls) : {}),
      version: before.version + 1,
      updatedAt: new Date(),
    },
    elsewhere: otherServer || database !== before.database,
  };
}

const passwordRequired = () =>
  invalid([
    {
      pointer: '/password',
      code: 'password_required',
      detail: 'Another engine, host or port takes the password again.',
    },
  ]);
