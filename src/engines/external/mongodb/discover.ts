import { Binary, BSON, MongoServerError, type Collection, type Db } from 'mongodb';
import { FORM_TYPES, isFieldName, type MongoForm } from '../../../query/index.js';
import type { ExternalLimits, FoundColumn, FoundObject } from '../external-engine.js';
import { EXACT } from './link.js';

/** Documents of a collection that are looked at. */
const SAMPLE = 200;
/** And their bytes; what is larger is looked at only in part. */
const SAMPLE_BYTES = 8 * 1024 * 1024;
/** Fields inside fields, so many levels deep. */
const MAX_DEPTH = 3;
const MAX_COLUMNS = 500;
/** Collections that are looked at at the same time. */
const AT_ONCE = 4;

interface Asked {
  readonly maxTimeMS: number;
  readonly signal?: AbortSignal;
}

interface Listed {
  readonly name: string;
  readonly isView: boolean;
}

/** The collections and views of the database, their fields as far as a sample of the documents tells. */
export async function discover(db: Db, limits: ExternalLimits, signal?: AbortSignal): Promise<readonly FoundObject[]> {
  const asked: Asked = { maxTimeMS: limits.statementMs, ...(signal ? { signal } : {}) };
  const listed = await list(db, limits.maxObjects, signal);
  const found: FoundObject[] = [];
  for (let i = 0; i < listed.length; i += AT_ONCE) {
    const looks = listed.slice(i, i + AT_ONCE).map((each) => look(db, each, asked));
    found.push(...(await Promise.all(looks)).filter((each) => each !== undefined));
  }
  return found;
}

async function list(db: Db, maxObjects: number, signal?: AbortSignal): Promise<readonly Listed[]> {
  const listed: Listed[] = [];
  for await (const { name, type } of db.listCollections({}, { batchSize: 1000, ...(signal ? { signal } : {}) })) {
    if (typeof name !== 'string' || name.startsWith('system.')) continue;
    listed.push({ name, isView: type === 'view' });
    if (listed.length >= maxObjects) break;
  }
  return listed.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** @returns undefined for what this user may not read */
async function look(db: Db, { name, isView }: Listed, asked: Asked): Promise<FoundObject | undefined> {
  const collection = db.collection(name);
  try {
    const fields = await sample(collection, isView, asked);
    const columns = columnsOf(fields);
    const id = columns.find(({ key }) => key === '_id');
    return {
      schema: db.databaseName,
      name,
      kind: isView ? 'view' : 'collection',
      columns,
      primaryKey: !isView && id && id.form !== 'json' ? ['_id'] : [],
      uniqueKeys: isView ? [] : await uniqueKeys(collection, fields, columns),
      foreignKeys: [],
      estimatedRows: isView ? null : await collection.estimatedDocumentCount(asked),
    };
  } catch (error) {
    if (error instanceof MongoServerError && error.code === 13) return undefined;
    throw error;
  }
}

/** What was found under a name. */
interface Field {
  readonly types: Set<string>;
  /** Documents that have it, not null. */
  seen: number;
  readonly fields: Map<string, Field>;
}

interface Sample {
  readonly documents: number;
  readonly fields: ReadonlyMap<string, Field>;
}

async function sample(collection: Collection, isView: boolean, asked: Asked): Promise<Sample> {
  const fields = new Map<string, Field>();
  let documents = 0;
  let bytes = 0;
  // A view would have to be made in full to be drawn from.
  const drawn = isView ? { $limit: SAMPLE } : { $sample: { size: SAMPLE } };
  const cursor = collection.aggregate([drawn], { ...asked, raw: true, batchSize: 50 });
  for await (const raw of cursor) {
    const body = raw as unknown as Uint8Array;
    bytes += body.length;
    note(fields, BSON.deserialize(body, { ...EXACT, validation: { utf8: false } }), 1);
    documents += 1;
    if (bytes > SAMPLE_BYTES || documents >= SAMPLE) break;
  }
  return { documents, fields };
}

function note(fields: Map<string, Field>, doc: object, depth: number): void {
  for (const [name, value] of Object.entries(doc) as [string, unknown][]) {
    const known = fields.get(name);
    if (!known && (!isFieldName(name) || fields.size >= MAX_COLUMNS)) continue;
    const field = known ?? { types: new Set<string>(), seen: 0, fields: new Map<string, Field>() };
    fields.set(name, field);
    if (value === null || value === undefined) continue;
    field.seen += 1;
    const type = typeOf(value);
    field.types.add(type);
    // An id of several parts is one.
    if (type === 'object' && depth < MAX_DEPTH && !(depth === 1 && name === '_id'))
      note(field.fields, value, depth + 1);
  }
}

const BY_CLASS: Readonly<Record<string, string>> = {
  Int32: 'int', Long: 'long', Double: 'double', Decimal128: 'decimal', ObjectId: 'objectId', BSONRegExp: 'regex',
  Timestamp: 'timestamp', MinKey: 'minKey', MaxKey: 'maxKey', BSONSymbol: 'symbol', Code: 'javascript', DBRef: 'dbPointer',
}; // prettier-ignore

/** MongoDB's own name of the type, but `uuid` for binary values that are one. */
function typeOf(value: unknown): string {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (Array.isArray(value)) return 'array';
  if (value instanceof Date) return 'date';
  if (value instanceof Binary)
    return value.sub_type === Binary.SUBTYPE_UUID && value.length() === 16 ? 'uuid' : 'binData';
  const tag = (value as { readonly _bsontype?: unknown })._bsontype;
  // A document may have a member of this name, too.
  const isOfClass = typeof tag === 'string' && Object.getPrototypeOf(value) !== Object.prototype;
  return (isOfClass ? BY_CLASS[tag] : undefined) ?? 'object';
}

function columnsOf({ documents, fields }: Sample, prefix = '', depth = 1): FoundColumn[] {
  const columns = [...fields].flatMap(([name, field]): FoundColumn[] => {
    const key = `${prefix}${name}`;
    const isDocument = field.types.size === 1 && field.types.has('object') && field.fields.size > 0;
    if (isDocument && depth < MAX_DEPTH) return columnsOf({ documents, fields: field.fields }, `${key}.`, depth + 1);
    return [columnOf(key, field)];
  });
  return columns.slice(0, MAX_COLUMNS);
}

function columnOf(key: string, { types }: Field): FoundColumn {
  const native = [...types].toSorted();
  const form = formOf(types);
  return {
    key,
    nativeType: native.join('|') || 'null',
    type: TYPES[form],
    options: form === 'long' ? { scale: 0 } : {},
    form,
    nullable: key !== '_id',
    ...(native.length > 1 ? { mixed: native } : {}),
  };
}

const TYPES = {
  string: 'text', objectId: 'text', uuid: 'text', binData: 'text', int: 'integer', long: 'decimal', double: 'decimal',
  decimal: 'decimal', number: 'decimal', bool: 'boolean', date: 'datetime', json: 'json',
} as const satisfies Record<MongoForm, string>; // prettier-ignore

/** The narrowest form that takes all that was found; whole numbers stand beside the others. */
const CANDIDATES = ['string', 'objectId', 'bool', 'date', 'double', 'decimal', 'number'] as const;

function formOf(types: ReadonlySet<string>): MongoForm {
  const within = (...names: readonly string[]): boolean => [...types].every((type) => names.includes(type));
  if (types.size === 0) return 'json';
  if (within('uuid')) return 'uuid';
  if (within('uuid', 'binData')) return 'binData';
  if (within('int')) return 'int';
  if (within('int', 'long')) return 'long';
  return CANDIDATES.find((form) => within(...FORM_TYPES[form])) ?? 'json';
}

/** Of unique indexes over all documents, those whose fields every document of the sample has. */
async function uniqueKeys(
  collection: Collection,
  { documents, fields }: Sample,
  columns: readonly FoundColumn[],
): Promise<readonly (readonly string[])[]> {
  const keys: string[][] = [];
  for await (const found of collection.listIndexes()) {
    const index = found as Readonly<Record<string, unknown>>;
    const paths = Object.keys(index.key ?? {});
    const isWhole = index.unique === true && index.sparse !== true && index.partialFilterExpression === undefined;
    const isKnown = paths.every((key) => columns.some((column) => column.key === key && column.form !== 'json') && seen(fields, key.split('.')) === documents); // prettier-ignore
    if (isWhole && isKnown) keys.push(paths);
  }
  return keys;
}

function seen(fields: ReadonlyMap<string, Field>, [first = '', ...rest]: readonly string[]): number {
  const field = fields.get(first);
  if (!field) return 0;
  return rest.length === 0 ? field.seen : seen(field.fields, rest);
}
