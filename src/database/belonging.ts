import type { AppConfig } from '../config/index.js';
import { connected, DatabaseUnusable, patiently } from './preflight.js';

/** So many bases are looked for at most: where none of them is there, it is not that one was lost. */
const MAX_BASES = 1_000;

/** Schemas that have to be there: not of what is in the trash, which may be half purged, nor of what is being changed. */
const KNOWN = `
  select schema_name as schema from bases
  where deleted_at is null and not exists (select from schema_ops o where o.base_id = bases.id and o.state = 'pending')
  order by id desc limit ${MAX_BASES}`;

/**
 * Refuses a mini database that holds none of the bases which the main database knows: an empty one, or that of another installation. A node on it would
 * fail every read, make new bases where no other node finds them, and take structure changes that were made for such that were not.
 * @throws DatabaseUnusable
 */
export async function checkBelonging({ mainDb, miniDb }: AppConfig): Promise<void> {
  const known = await patiently(() =>
    connected(mainDb, async (main) => {
      // Before the first migration there is nothing.
      const { rows } = await main.query<{ there: boolean }>(`select to_regclass('schema_ops') is not null as there`);
      return rows[0]?.there ? (await main.query<{ schema: string }>(KNOWN)).rows.map(({ schema }) => schema) : [];
    }),
  );
  if (known.length === 0) return;
  const isOurs = await patiently(() =>
    connected(miniDb, async (mini) => {
      const { rows } = await mini.query<{ found: boolean }>(
        'select exists (select from pg_namespace where nspname = any($1)) as found',
        [known],
      );
      return rows[0]?.found === true;
    }),
  );
  if (isOurs) return;
  const place = ({ database, host, port }: AppConfig['mainDb']): string => `database ${database} at ${host}:${port}`;
  throw new DatabaseUnusable(
    `The mini ${place(miniDb)} holds none of the bases that the main ${place(mainDb)} knows, so it is empty or of another installation: correct MINI_DB_DATABASE or DB_DATABASE, or restore both from one backup.`,
  );
}
