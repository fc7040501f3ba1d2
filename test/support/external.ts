import dns from 'node:dns';
import net from 'node:net';
import { newId } from '../../src/common/index.js';
import type {
  ConnectionTarget,
  ExternalEngine,
  ExternalLimits,
  FoundObject,
  Outbound,
} from '../../src/engines/external/index.js';
import type { ObjectColumn, ObjectSchema, ObjectSource, SourceRead } from '../../src/query/index.js';

/** Limits that no test of something else comes to. */
export const LIMITS: ExternalLimits = {
  connectMs: 5_000,
  statementMs: 10_000,
  maxBytes: 16 * 1024 * 1024,
  maxSessions: 4,
  idleMs: 60_000,
  maxObjects: 500,
};

/** Every way is open: what may be reached is judged elsewhere. */
export const ANYWHERE: Outbound = {
  socket: () => new net.Socket(),
  lookup: dns.lookup,
  judge: () => Promise.resolve(),
};

export const target = (over: Partial<ConnectionTarget>): ConnectionTarget => ({
  id: newId(),
  holder: newId(),
  engine: 'mysql',
  host: '127.0.0.1',
  port: 3306,
  database: 'example',
  username: 'reader',
  password: 'of the tests only',
  tls: { mode: 'disable' },
  access: 'read-only',
  ...over,
});

/** An object as the query core sees it, under the alias `o`. */
export function objectOf(found: FoundObject): ObjectSchema {
  const columns = found.columns.map(({ key, type, options, form, nullable }): ObjectColumn => ({
    id: newId(),
    key,
    name: key,
    type,
    options,
    form,
    required: !nullable,
    unique: false,
    default: null,
    physical: key,
    alias: 'o',
  }));
  return {
    id: newId(),
    schemaVersion: 1,
    physical: { schema: found.schema, table: found.name },
    kind: found.kind,
    columns,
    key: (found.primaryKey.length > 0 ? found.primaryKey : (found.uniqueKeys[0] ?? [])).flatMap(
      (key) => columns.find((column) => column.key === key) ?? [],
    ),
    estimatedRows: found.estimatedRows,
  };
}

export const sourceOf = (object: ObjectSchema): ObjectSource => ({ ...object, object, alias: 'o', joins: [] });

/** All columns of all rows in the order of the key, unless said otherwise. */
export const readOf = (object: ObjectSchema, over: Partial<SourceRead> = {}): SourceRead => ({
  from: sourceOf(object),
  select: object.columns,
  where: { kind: 'true' },
  orderBy: object.key.map((column) => ({ by: { kind: 'column', column }, dir: 'asc' })),
  limit: 1_000,
  count: 'none',
  ...over,
});

/** The fields of every row of a plan, page after page. */
export async function fieldsOf(
  engine: ExternalEngine,
  plan: SourceRead,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const rows: { readonly fields: Readonly<Record<string, unknown>> }[] = [];
  for (let at = plan; ;) {
    const page = await engine.read(at);
    rows.push(...(JSON.parse(`[${page.data}]`) as typeof rows));
    if (!page.next) return rows.map(({ fields }) => fields);
    at = { ...at, after: page.next };
  }
}
