import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { EntityManager } from 'typeorm';
import { Problem, type Id } from '../../../common/index.js';
import { faultPoint, type AppConfig } from '../../../config/index.js';
import {
  aloneWithBase,
  BackupError,
  copyFiles,
  FILES,
  programFor,
  readManifest,
  stageBase,
  stageOf,
  type Manifest,
} from '../../../database/backup/index.js';
import type { Actor, AuditedManager } from '../../../database/main/index.js';
import { takePlace } from '../../../query/index.js';
import { BaseEntity } from '../bases/base.entity.js';
import { TableRulesEntity } from '../rules/table-rules.entity.js';
import type { SchemaChange, SchemaSaga } from '../schema/schema-saga.js';
import { tableChanged } from '../tables/table-changed.js';
import { TableEntity } from '../tables/table.entity.js';
import { backedUpBase, type BackedUpBase, type BackedUpViews } from './backed-up-base.js';
import { mustBePossible, triedOut } from './must-be-possible.js';
import type { RecordsOfBase, RestoredBase } from './restored-records.js';

/** What came back. */
export interface BaseRestored {
  readonly manifest: Manifest;
  readonly name: string;
  readonly schema: string;
  readonly tables: number;
  readonly warnings: readonly string[];
}

/** Which views read nothing but these tables, as {@link ViewWriter.write} takes them. */
export type ViewsOfTables = (views: BackedUpViews, tables: ReadonlySet<string>, base: string) => string;

/** How long a moment is waited for in which nobody is at work in the base. */
const WAIT_MS = 2 * 60_000;

/**
 * Puts one base back to what a backup holds of it, beside running servers and without touching anything else. First its schema is brought into the mini database
 * under another name, however long that takes; then it takes the place of the one that is there, as a structure change does: recorded, done in one
 * transaction of the mini database, completed in the main one, by whoever comes first if this process dies.
 */
export class BaseRestore {
  constructor(
    private readonly config: AppConfig,
    private readonly saga: SchemaSaga,
    private readonly viewsOfTables: ViewsOfTables,
  ) {}

  /**
   * @param actor who is made responsible in the audit log
   * @throws BackupError what is in the way, in words for the person at the terminal
   */
  async restore(folder: string, baseId: Id, actor: Actor): Promise<BaseRestored> {
    const { miniDb, files } = this.config;
    const manifest = await readManifest(folder);
    const program = programFor('pg_restore', manifest.postgres.main);
    const found = await backedUpBase(program, folder, baseId);
    await mustBePossible(this.config, manifest, found.base);
    const schema = found.base.schema_name;
    await aloneWithBase(miniDb, schema, async (mini) => {
      await stageBase(miniDb, folder, manifest, schema);
      await faultPoint('restore.staged');
      const { rows } = await mini.query(
        `select from ${mini.escapeIdentifier(stageOf(schema))}._applied where outcome = 'applied' and op_id = any($1::uuid[])`,
        [found.pending],
      );
      if (rows.length > 0)
        throw new BackupError(
          'The structure of this base was being changed at the moment of this backup: take another.',
        );
      const kept = path.join(folder, FILES, schema);
      if (existsSync(kept)) await copyFiles(kept, path.join(files.directory, schema));
      await this.takePlace(found, manifest, actor);
    });
    const { name } = found.base;
    return { manifest, name, schema, tables: found.records.tables.length, warnings: this.warnings(manifest) };
  }

  private async takePlace(found: BackedUpBase, manifest: Manifest, actor: Actor): Promise<void> {
    const { id: baseId, workspace_id: workspaceId } = found.base;
    const plan = (manager: EntityManager) => this.plan(manager as AuditedManager, found, manifest);
    for (const deadline = Date.now() + WAIT_MS; ;) {
      try {
        await this.saga.run({ kind: 'base.restored_from_backup', baseId, workspaceId, actor, plan });
        return;
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== 'schema_busy') throw error;
        if (Date.now() > deadline)
          throw new BackupError(
            'The base is in use without a pause, such as by a backup: try again when that is over.',
          );
        await pause(1_000);
      }
    }
  }

  private async plan(manager: AuditedManager, found: BackedUpBase, manifest: Manifest): Promise<SchemaChange<void>> {
    const { base, records, views } = found;
    const baseId = base.id;
    const present = await manager.findOneBy(BaseEntity, { id: baseId });
    const tables = await manager.findBy(TableEntity, { baseId });
    const rules = await manager.findBy(TableRulesEntity, { baseId });
    const version =
      1 +
      Math.max(
        ...tables.map(({ schemaVersion }) => schemaVersion),
        ...rules.map((each) => each.version),
        ...records.tables.map(({ schema_version: of }) => Number(of)),
        ...records.table_rules.map((each) => Number(each.version)),
        0,
      );
    const restored: RestoredBase = { baseId, records: asOfNow(records, version) };
    await triedOut(manager, restored, base.name);
    const { schema_name: schema, workspace_id: workspaceId, name } = base;
    const ids = new Set([...tables.map(({ id }) => id), ...records.tables.map(({ id }) => String(id))]);
    const told = { takenAt: manifest.takenAt, tables: records.tables.length };
    return {
      schema,
      statements: takePlace({ schema, stage: stageOf(schema), displayName: name, version }),
      patch: {
        restored,
        views: this.viewsOfTables(views, new Set(records.tables.map(({ id }) => String(id))), name),
        audit: [
          {
            workspaceId,
            action: 'base.restored_from_backup',
            resource: { type: 'base', id: baseId, name },
            ...(present ? { before: { name: present.name, tables: tables.length } } : {}),
            after: { name, ...told },
          },
        ],
        events: [
          { topic: 'base.changed', payload: { baseId, workspaceId } },
          ...[...ids].map((id) => tableChanged({ id, baseId, workspaceId })),
        ],
      },
      ...(present ? {} : { makesSchema: true }),
      result: undefined,
    };
  }

  private warnings({ files }: Manifest): readonly string[] {
    if (!('bucket' in files))
      return this.config.files.s3
        ? ['Attached files were put into a folder, and these settings name a bucket: copy them there.']
        : [];
    return [`Attached files are in the bucket ${files.bucket}: what was removed there since does not come back.`];
  }
}

/** Their times of deletion stay, but for the base itself: it would be purged at once. */
function asOfNow(records: RecordsOfBase, version: number): RecordsOfBase {
  const at = new Date().toISOString();
  const next = String(version);
  return {
    ...records,
    bases: records.bases.map((base) => ({ ...base, updated_at: at, deleted_at: base.deleted_at ? at : null })),
    tables: records.tables.map((table) => ({ ...table, schema_version: next, updated_at: at })),
    table_rules: records.table_rules.map((rules) => ({ ...rules, version: next })),
  };
}
