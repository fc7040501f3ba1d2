import { Injectable } from '@nestjs/common';
import { invalid, isId, Problem, type Id } from '../../../common/index.js';
import { pinned, type DefinedSource, type ViewDefinition, type ViewSource } from '../../../query/index.js';
import { ExternalObjectsReader, type ExternalObjects } from '../../connections/index.js';
import type { Reader } from './reader.js';
import { Fence, TableCatalog, type TableMeta } from '../../tables/index.js';

/** Tables and connections that a definition names, as they are now. */
export interface OpenSources {
  readonly tables: ReadonlyMap<Id, TableMeta>;
  readonly connections: ReadonlyMap<Id, ExternalObjects>;
  /** @throws Problem `validation_failed` there is none; `at` points to the source */
  find(source: DefinedSource, at: string): ViewSource;
}

/** What the sources of views are: tables of the workspace, and objects of its connections. */
@Injectable()
export class ViewSources {
  constructor(
    private readonly catalog: TableCatalog,
    private readonly objects: ExternalObjectsReader,
    private readonly fence: Fence,
  ) {}

  /**
   * Does `work` with the sources; again, when a database says that one of them is another by now.
   * @throws Problem what opening and `work` throw
   */
  async with<T>(access: Reader, definition: ViewDefinition, work: (sources: OpenSources) => Promise<T>): Promise<T> {
    const { tables, connections } = namedIn(definition);
    const attempt = (): Promise<T> =>
      this.fence.runOver(tables, async () => work(await this.open(access, tables, connections, definition)));
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'source_changed' || connections.length === 0) throw error;
      for (const id of connections) await this.objects.lookAgain(access.workspaceId, id);
      return attempt();
    }
  }

  /** Names what the reader sees of the tables that the definition names, for as long as they are what they are; undefined where that is all. */
  async sightOf(reader: Reader, definition: ViewDefinition): Promise<string | undefined> {
    if (reader.principal === undefined) return undefined;
    const { tables } = await this.open(reader, namedIn(definition).tables, [], definition);
    const sights = [...tables.values()].map(({ id, seen }) => seen.sightOf(id, reader) ?? null);
    return sights.some((sight) => sight !== null) ? JSON.stringify(sights) : undefined;
  }

  private async open(
    reader: Reader,
    tableIds: readonly Id[],
    connectionIds: readonly Id[],
    { pins, isFrozen }: ViewDefinition,
  ): Promise<OpenSources> {
    const { workspaceId } = reader;
    const [tables, connections] = await Promise.all([
      found(tableIds, async (id) => {
        const table = await this.catalog.find(id);
        return table.workspaceId === workspaceId ? asSeen(table, reader) : undefined;
      }),
      found(connectionIds, (id) => this.objects.objectsOf(workspaceId, id)),
    ]);
    return {
      tables,
      connections,
      find(source, at) {
        if ('table' in source) {
          const table = tables.get(source.table);
          if (table) return { kind: 'table', table: pinned(table.tableSchema, pins, isFrozen) };
          throw missing(`${at}/table`, 'unknown_table', 'There is no such table in this workspace.');
        }
        const { connection, object } = source;
        const objects = connections.get(connection);
        if (!objects)
          throw missing(`${at}/connection`, 'unknown_connection', 'There is no such connection in this workspace.');
        return { kind: 'object', connectionId: connection, object: objects.objects.find(object, `${at}/object`) };
      },
    };
  }
}

const asSeen = (table: TableMeta, reader: Reader): TableMeta =>
  reader.principal === undefined ? table : { ...table, tableSchema: table.seen.of(table.id, reader) };

const missing = (at: string, code: string, detail: string): Problem => invalid([{ pointer: at, code, detail }]);

/** Those of the ids that lead to something of the workspace. */
async function found<T>(ids: readonly Id[], find: (id: Id) => Promise<T | undefined>): Promise<Map<Id, T>> {
  const all = await Promise.all(
    ids.map(async (id) => {
      try {
        return isId(id) ? await find(id) : undefined;
      } catch (error) {
        if (error instanceof Problem && error.code === 'not_found') return undefined;
        throw error;
      }
    }),
  );
  return new Map(ids.flatMap((id, i) => (all[i] === undefined ? [] : [[id, all[i]]])));
}

/** Each id once. */
function namedIn({ source, joins }: ViewDefinition): {
  readonly tables: readonly Id[];
  readonly connections: readonly Id[];
} {
  const all = [source, ...joins.map((join) => join.source)];
  return {
    tables: [...new Set(all.flatMap((each) => ('table' in each ? each.table : [])))],
    connections: [...new Set(all.flatMap((each) => ('table' in each ? [] : each.connection)))],
  };
}
