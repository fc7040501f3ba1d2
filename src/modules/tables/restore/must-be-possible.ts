import type { AppConfig } from '../../../config/index.js';
import { BackupError, migrationsOf, withClient, type Manifest } from '../../../database/backup/index.js';
import { isUniqueViolation, type AuditedManager } from '../../../database/main/index.js';
import type { BackedUpBase } from './backed-up-base.js';
import { writeRestored, type RestoredBase } from './restored-records.js';

/**
 * Looks at what is known before anything is done.
 * @throws BackupError the backup is of another version, or the base has no place here
 */
export async function mustBePossible(
  { mainDb, miniDb }: AppConfig,
  { migrations, version }: Manifest,
  { workspace_id: workspaceId, name }: BackedUpBase['base'],
): Promise<void> {
  await withClient(mainDb, async (main) => {
    const here = await withClient(miniDb, (mini) => migrationsOf(main, mini));
    const order = compare(migrations.main, here.migrations.main) || migrations.mini - here.migrations.mini;
    if (order > 0)
      throw new BackupError(
        `The backup was taken by a newer version (${version}): bring these databases to it first (npm run migration:run of that version).`,
      );
    if (order < 0)
      throw new BackupError(
        `The backup was taken by an older version (${version}): restore it into two empty databases, migrate them (npm run migration:run), back them up, and restore the base from that.`,
      );
    const { rows } = await main.query<{ deleted: boolean }>(
      'select deleted_at is not null as deleted from workspaces where id = $1',
      [workspaceId],
    );
    const [workspace] = rows;
    if (!workspace)
      throw new BackupError(
        `The workspace of the base ${name} (${workspaceId}) is not here: it was purged, or the backup is of another installation.`,
      );
    if (workspace.deleted)
      throw new BackupError(`The workspace of the base ${name} (${workspaceId}) is in the trash: restore that first.`);
  });
}

/** Names of migrations end with their times. */
const compare = (a: string, b: string): number => Number(a.replace(/\D/g, '')) - Number(b.replace(/\D/g, ''));

/** Writes the records and takes them back again: what the main database would refuse, it refuses before anything is done in the other. @throws BackupError */
export async function triedOut(manager: AuditedManager, restored: RestoredBase, name: string): Promise<void> {
  try {
    await manager.transaction(async (inner) => {
      await writeRestored(inner as AuditedManager, restored);
      throw new Undone();
    });
  } catch (error) {
    if (error instanceof Undone) return;
    if (isUniqueViolation(error, 'bases_name'))
      throw new BackupError(
        `Another base of the workspace is called ${JSON.stringify(name)} by now: rename that one first.`,
      );
    throw error;
  }
}

class Undone extends Error {}
