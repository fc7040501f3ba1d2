import path from 'node:path';
import pg from 'pg';
import type { PostgresSettings } from '../../config/index.js';
import { asOwner } from '../mini/index.js';
import { majorOf } from './backup.js';
import { DUMPS, type Manifest } from './manifest.js';
import { BackupError, programFor, startProgram } from './programs.js';
import { withClient } from './restore.js';

/** Where a base is brought to, until it takes the place of the one that is there. A schema name has at most 47 characters, so that this is one, too. */
export const stageOf = (schema: string): string => `${schema}__restore`;

/** Two that restore one base would take each other's work for their own: the second is refused. @throws BackupError */
export async function aloneWithBase<T>(
  settings: PostgresSettings,
  schema: string,
  work: (mini: pg.Client) => Promise<T>,
): Promise<T> {
  return withClient(settings, async (client) => {
    const { rows } = await client.query<{ got: boolean }>(
      "select pg_try_advisory_lock(hashtextextended('restore:' || $1, 0)) as got",
      [schema],
    );
    if (rows[0]?.got !== true) throw new BackupError('Somebody else is restoring this base: wait until that is done.');
    return work(client);
  });
}

/**
 * Brings a base out of a backup into the mini database, under another name beside the one that is there, which goes on being read and written: in one
 * transaction that one steps aside, the dump's own statements make the schema under its own name, and both get the names that they are to have. Nobody
 * else sees any of that, for catalogs have snapshots like all tables.
 * @throws BackupError
 */
export async function stageBase(
  settings: PostgresSettings,
  folder: string,
  manifest: Manifest,
  schema: string,
): Promise<void> {
  const major = Math.max(await withClient(settings, majorOf), manifest.postgres.mini);
  const dump = startProgram(programFor('pg_restore', major), [
    ...['--no-owner', '--no-acl', `--schema=${schema}`, '--file=-'],
    path.join(folder, DUMPS.mini),
  ]);
  const psql = startProgram(
    programFor('psql', major),
    ['--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1', `--dbname=${settings.database}`, '--file=-'],
    settings,
  );
  psql.stdout.resume();
  dump.stdin.end();
  psql.stdin.write(before(schema));
  dump.stdout.pipe(psql.stdin, { end: false });
  try {
    await Promise.race([dump.done, psql.done.then(() => Promise.reject(new BackupError('psql ended too early.')))]);
    psql.stdin.end(after(schema));
    await psql.done;
  } catch (error) {
    // The other would wait for ever. An end without a commit undoes all of it, also when this process is killed.
    dump.stdout.destroy();
    psql.stdin.destroy();
    throw error;
  }
}

const AROUND = 'of_a_restore';

function before(schema: string): string {
  const [own, stage, aside] = [schema, stageOf(schema), `${schema}__aside`].map(pg.escapeIdentifier);
  const name = pg.escapeLiteral(schema);
  return `begin;
${asOwner(schema).text.replaceAll('$1', name)};
drop schema if exists ${stage} cascade;
do $${AROUND}$ begin
  if exists (select from pg_namespace where nspname = ${name}) then alter schema ${own} rename to ${aside}; end if;
end $${AROUND}$;
create schema ${own};
select public._live_tables_open_base(${name});
`;
}

function after(schema: string): string {
  const [own, stage, aside] = [schema, stageOf(schema), `${schema}__aside`].map(pg.escapeIdentifier);
  return `
alter schema ${own} rename to ${stage};
do $${AROUND}$ begin
  if exists (select from pg_namespace where nspname = ${pg.escapeLiteral(`${schema}__aside`)}) then alter schema ${aside} rename to ${own}; end if;
end $${AROUND}$;
commit;
`;
}
