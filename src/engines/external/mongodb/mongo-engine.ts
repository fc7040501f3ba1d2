import { BSON, type Db, type Document } from 'mongodb';
import { Problem } from '../../../common/index.js';
import {
  canComputeInMongo,
  compileMongoGroups,
  compileMongoMutation,
  compileMongoRead,
  COUNT_BOUND,
  keyName,
  kindOf,
  type CountMode,
  type MongoDocument,
  type MongoForm,
  type MongoMutation,
  type MongoOutput,
  type Mutation,
  type ObjectColumn,
  type ObjectSchema,
  type Position,
  type SourceGroups,
  type SourceRead,
} from '../../../query/index.js';
import type {
  ConnectionTarget,
  ExternalCapabilities,
  ExternalEngine,
  ExternalLimits,
  FoundObject,
  Mutated,
  Outbound,
  SourcePage,
  Told,
} from '../external-engine.js';
import { cellJson, groupJson, positionValue } from './cells.js';
import { madeOf, updated } from './changed.js';
import { describePipeline } from './describe.js';
import { discover } from './discover.js';
import { EXACT, GRACE_MS, openLink, type Link } from './link.js';
import { translate } from './mongo-errors.js';
import { toBson, toBsonList } from './to-bson.js';

/** Whatever collation a collection has: texts are compared by code point. */
const BY_CODE_POINT = { locale: 'simple' } as const;

/** Forms of bytes, which can only be compared for being equal there. */
const BYTES: ReadonlySet<string> = new Set<MongoForm>(['binData', 'uuid']);

/** Documents that the server sends at once. */
const BATCH = 1_000;

/** A MongoDB, 5.0 or later. It is signed in when something is asked for the first time, and stays so until {@link close}. */
export class MongoEngine implements ExternalEngine {
  readonly capabilities: ExternalCapabilities = {
    joins: true,
    jsonPaths: true,
    timeZones: true,
    computes: canComputeInMongo,
    searches: (column) => !BYTES.has((column as Partial<ObjectColumn>).form ?? ''),
  };

  private link: Promise<Link> | undefined;
  private isClosed = false;

  constructor(
    private readonly target: ConnectionTarget,
    private readonly limits: ExternalLimits,
    private readonly outbound: Outbound,
  ) {}

  probe(signal?: AbortSignal): Promise<{ readonly serverVersion: string }> {
    return this.asking(signal, async (db, asked) => {
      const { version } = await db.command({ buildInfo: 1 }, asked);
      return { serverVersion: typeof version === 'string' ? version.slice(0, 60) : 'unknown' };
    });
  }

  discover(signal?: AbortSignal): Promise<readonly FoundObject[]> {
    // Each collection has its own time, so that many of them are not too many.
    return this.asking(signal, (db, asked) => discover(db, this.limits, asked.signal), Infinity);
  }

  async read(plan: SourceRead, signal?: AbortSignal): Promise<SourcePage> {
    const page = compileMongoRead(plan);
    const { limit, count: mode } = plan;
    return this.asking(signal, async (db, asked) => {
      const docs = await this.documents(db, page.collection, page.pipeline, limit + 1, asked);
      if (docs.length === 0 && !plan.after) await this.checkCollection(db, page.collection, asked);
      const json = (doc: Document): string => `{"fields":${objectJson(page.cells, doc, cellJson)}}`;
      return {
        ...pageOf(docs, limit, json, (doc) => positionOf(doc, page.keys, page.terms)),
        ...(await this.counted(db, page, mode, estimateOf(plan), asked)),
      };
    });
  }

  async readGroups(plan: SourceGroups, signal?: AbortSignal): Promise<SourcePage> {
    const page = compileMongoGroups(plan);
    const { limit, count: mode } = plan;
    return this.asking(signal, async (db, asked) => {
      const docs = await this.documents(db, page.collection, page.pipeline, limit + 1, asked);
      const json = (doc: Document): string =>
        `{"group":${objectJson(page.groups, doc, groupJson)},"values":${objectJson(page.values, doc, groupJson)}}`;
      return {
        ...pageOf(docs, limit, json, (doc) => positionOf(doc, page.keys, page.keys.length)),
        ...(await this.counted(db, page, mode, null, asked)),
      };
    });
  }

  describe(plan: SourceRead | SourceGroups): string {
    const { collection, pipeline } = 'select' in plan ? compileMongoRead(plan) : compileMongoGroups(plan);
    return describePipeline(collection, pipeline);
  }

  /** A single document is changed at once and for good, so it is told of right afterwards. */
  async mutate(mutation: Mutation, told?: Told): Promise<Mutated | undefined> {
    if (this.target.access !== 'read-write') throw new Problem('read_only_connection');
    const compiled = compileMongoMutation(mutation);
    const changed = await this.asking(undefined, (db, asked) => change(db, mutation.object, compiled, asked));
    if (changed) await told?.(changed);
    return changed;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    const link = await this.link?.catch(() => undefined);
    this.link = undefined;
    await link?.close();
  }

  private async counted(
    db: Db,
    { collection, count }: { readonly collection: string; readonly count?: readonly MongoDocument[] },
    mode: CountMode,
    estimate: number | null,
    asked: Asked,
  ): Promise<Pick<SourcePage, 'count'>> {
    if (mode === 'none' || !count) return {};
    if (mode === 'estimated' && estimate !== null) return { count: { mode, value: estimate, relation: 'estimate' } };
    const [found] = await this.documents(db, collection, count, 1, asked);
    const total = Number(found?.n ?? 0);
    const more = mode !== 'exact' && total > COUNT_BOUND;
    return { count: { mode, value: more ? COUNT_BOUND : total, relation: more ? 'atLeast' : 'exact' } };
  }

  /** At most so many documents, whatever the server sends, and no more bytes than an answer may have. */
  private async documents(
    db: Db,
    collection: string,
    pipeline: readonly MongoDocument[],
    most: number,
    asked: Asked,
  ): Promise<readonly Document[]> {
    const found: Document[] = [];
    let bytes = 0;
    const batchSize = Math.min(most, BATCH);
    const options = { ...asked, raw: true, batchSize, collation: BY_CODE_POINT };
    const cursor = db.collection(collection).aggregate(toBsonList(pipeline), options);
    try {
      for await (const raw of cursor) {
        const body = raw as unknown as Uint8Array;
        bytes += body.length;
        if (bytes > this.limits.maxBytes) throw new Problem('answer_too_large');
        // Texts that are not well-formed are shown as well as they can be.
        found.push(BSON.deserialize(body, { ...EXACT, validation: { utf8: false } }));
        if (found.length >= most) break;
      }
    } finally {
      await cursor.close().catch(() => undefined);
    }
    return found;
  }

  /** MongoDB reads a collection that is not there as one without documents. */
  private async checkCollection(db: Db, name: string, { signal }: Asked): Promise<void> {
    const [found] = await db.listCollections({ name }, { nameOnly: true, signal }).toArray();
    if (!found) throw new Problem('source_changed');
  }

  /** @throws Problem, or the reason of the signal */
  private async asking<T>(
    signal: AbortSignal | undefined,
    work: (db: Db, asked: Asked) => Promise<T>,
    ms = this.limits.statementMs + this.limits.connectMs + GRACE_MS,
  ): Promise<T> {
    signal?.throwIfAborted();
    const stop = new AbortController();
    const follow = (): void => stop.abort(signal?.reason);
    signal?.addEventListener('abort', follow);
    const timer = Number.isFinite(ms) ? setTimeout(() => stop.abort(new Problem('source_timeout')), ms) : undefined;
    let unwatch = (): void => undefined;
    try {
      const link = await unlessAborted(this.opened(), stop.signal);
      // The driver would try anew until its time is over.
      unwatch = link.relay.watch((failure) => stop.abort(translate(failure, 'signing in')));
      const asked = { maxTimeMS: this.limits.statementMs, signal: stop.signal };
      return await unlessAborted(work(link.client.db(this.target.database), asked), stop.signal);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw translate(stop.signal.aborted ? stop.signal.reason : error, 'asking');
    } finally {
      clearTimeout(timer);
      unwatch();
      signal?.removeEventListener('abort', follow);
    }
  }

  private opened(): Promise<Link> {
    if (this.isClosed) return Promise.reject(new Problem('source_failed', { detail: 'The connection was closed.' }));
    if (this.link) return this.link;
    const link = openLink(this.target, this.limits, this.outbound);
    // What failed is tried anew by whoever asks next.
    link.catch(() => (this.link = this.link === link ? undefined : this.link));
    return (this.link = link);
  }
}

interface Asked {
  readonly maxTimeMS: number;
  readonly signal: AbortSignal;
}

/** What the work comes to, but no later than the signal: what the driver still does then is of no interest. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** What the database thinks: of a whole collection only. */
const estimateOf = ({ from, where }: SourceRead): number | null =>
  where.kind === 'true' && from.joins.length === 0 ? from.object.estimatedRows : null;

type ToJson = typeof cellJson;

const objectJson = (outputs: readonly MongoOutput[], doc: Document, toJson: ToJson): string =>
  `{${outputs.map(({ name, column }) => `${JSON.stringify(column.key)}:${toJson(doc[name], kindOf(column).type)}`).join(',')}}`;

/** One document more than the page has tells that there is another. */
function pageOf(
  docs: readonly Document[],
  limit: number,
  json: (doc: Document) => string,
  position: (doc: Document) => Position,
): SourcePage {
  const page = docs.slice(0, limit);
  const last = page.at(-1);
  return {
    data: page.map(json).join(',\n'),
    rows: page.length,
    ...(docs.length > limit && last ? { next: position(last) } : {}),
  };
}

const positionOf = (doc: Document, keys: readonly MongoForm[], terms: number): Position =>
  Array.from({ length: terms }, (_, i) => {
    const form = keys[i];
    return form === undefined ? null : positionValue(doc[keyName(i)], form);
  });

/** A document with the values of all columns, wherever they are nested. */
function documentJson({ columns }: ObjectSchema, doc: Document): string {
  const fields = columns.map(
    (column) => `${JSON.stringify(column.key)}:${cellJson(at(doc, column.physical), column.type)}`,
  );
  return `{${fields.join(',')}}`;
}

/** As MongoDB itself reads a path: into documents, and into all documents of a list. */
function at(doc: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>(member, doc);
}

function member(of: unknown, name: string): unknown {
  if (Array.isArray(of)) return of.map((each) => member(each, name)).filter((each) => each !== undefined);
  return typeof of === 'object' && of !== null && Object.hasOwn(of, name) ? (of as Document)[name] : undefined;
}

/** One step of MongoDB, so that nobody can come in between what was expected and what is done. */
async function change(
  db: Db,
  object: ObjectSchema,
  compiled: MongoMutation,
  asked: Asked,
): Promise<Mutated | undefined> {
  const collection = db.collection(compiled.collection);
  const options = { ...asked, ...EXACT, collation: BY_CODE_POINT };
  switch (compiled.op) {
    case 'insert': {
      const doc = madeOf(compiled.set);
      await collection.insertOne(doc, { signal: asked.signal, maxTimeMS: asked.maxTimeMS } as object);
      return { before: null, after: documentJson(object, doc) };
    }
    case 'delete': {
      const before = await collection.findOneAndDelete(toBson(compiled.filter), options);
      return before ? { before: documentJson(object, before), after: null } : undefined;
    }
    case 'update': {
      const filter = toBson(compiled.filter);
      const isChange = Object.keys(compiled.update).length > 0;
      const before = isChange
        ? await collection.findOneAndUpdate(filter, toBson(compiled.update), { ...options, returnDocument: 'before' })
        : await collection.findOne(filter, options);
      if (!before) return undefined;
      return { before: documentJson(object, before), after: documentJson(object, updated(before, compiled)) };
    }
  }
}
