import net from 'node:net';
import { BSON, Long } from 'mongodb';
import { ScramConversation, type Account } from './scram.js';
import { matches } from './stages.js';
import { Store } from './store.js';
import { CommandError, isDoc, type Doc } from './values.js';
import { answer, MessageReader, type Message } from './wire.js';

/** What a test lets the server do in the place of an answer: nothing at all, or break off. */
export type Fault = 'hang' | 'die';

/** Bytes of the documents of one answer. */
const BATCH_BYTES = 16 * 1024 * 1024;
const FIRST_BATCH = 101;

interface OpenCursor {
  readonly namespace: string;
  readonly docs: readonly Doc[];
  at: number;
}

/** A server that speaks MongoDB's protocol, as much of it as the driver and this product use. */
export class MongoStandIn {
  /** Databases by name. */
  private readonly stores = new Map<string, Store>();
  private readonly cursors = new Map<string, OpenCursor>();
  private readonly sockets = new Set<net.Socket>();
  private readonly server = net.createServer((socket) => this.serve(socket));
  private lastCursor = 0;
  /** Asked for each command before it is answered. */
  fault: (name: string, command: Doc) => Fault | undefined = () => undefined;
  /** Changes an answer before it is sent. */
  twist: (name: string, reply: Doc) => Doc | Buffer = (_, reply) => reply;
  /** How often a password is hashed. */
  iterations = 4096;

  constructor(
    private readonly account: Account,
    private readonly authDatabase: string,
  ) {}

  store(database: string): Store {
    const known = this.stores.get(database) ?? new Store();
    this.stores.set(database, known);
    return known;
  }

  get openCursors(): number {
    return this.cursors.size;
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve, reject) => this.server.once('error', reject).listen(0, '127.0.0.1', resolve));
    return (this.server.address() as net.AddressInfo).port;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private serve(socket: net.Socket): void {
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket)).on('error', () => socket.destroy());
    const reader = new MessageReader();
    const session = new Session(this.account, this.authDatabase, () => this.iterations);
    socket.on('data', (chunk) => {
      for (const message of reader.read(chunk)) this.reply(socket, message, session);
    });
  }

  private reply(socket: net.Socket, message: Message, session: Session): void {
    const { command } = message;
    const name = Object.keys(command)[0] ?? '';
    const fault = this.fault(name, command);
    if (fault === 'die') socket.destroy();
    if (fault) return;
    const reply = this.twist(name, this.outcome(name, command, session));
    if (!socket.destroyed) socket.write(Buffer.isBuffer(reply) ? reply : answer(message, reply));
  }

  private outcome(name: string, command: Doc, session: Session): Doc {
    try {
      const own = session.answer(name, command);
      if (own) return { ...own, ok: 1 };
      return { ...this.run(name, command), ok: 1 };
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      return { ok: 0, errmsg: error.message, code: error.code, codeName: error.codeName, ...error.extra };
    }
  }

  private run(name: string, command: Doc): Doc {
    const database = String(command.$db);
    const store = this.store(database);
    const target = String(command[name]);
    switch (name) {
      case 'find':
        return this.cursor(`${database}.${target}`, find(store.docs(target), command), command);
      case 'aggregate': {
        const { cursor = {}, pipeline } = command as { cursor?: Doc; pipeline: readonly Doc[] };
        if (isDoc(pipeline[0]) && '$collStats' in pipeline[0])
          return this.cursor(`${database}.${target}`, [{ count: store.docs(target).length }], cursor);
        return this.cursor(`${database}.${target}`, store.aggregate(target, pipeline), cursor);
      }
      case 'getMore':
        return this.more(command);
      case 'killCursors':
        return this.kill(command);
      case 'count':
        return { n: store.docs(target).filter((doc) => matches((command.query ?? {}) as Doc, doc)).length };
      case 'listCollections': {
        const { filter = {}, cursor = {} } = command as { filter?: Doc; cursor?: Doc };
        const all = store
          .names()
          .map((each) => ({ name: each.name, type: each.isView ? 'view' : 'collection', options: {}, info: {} }));
        return this.cursor(`${database}.$cmd.listCollections`, all.filter((each) => matches(filter, each)), cursor); // prettier-ignore
      }
      case 'listIndexes':
        return this.cursor(`${database}.${target}`, store.indexes(target), (command.cursor ?? {}) as Doc);
      case 'create':
        store.create(target, typeof command.viewOn === 'string' ? { on: command.viewOn, pipeline: command.pipeline as Doc[] } : undefined); // prettier-ignore
        return {};
      case 'createIndexes':
        for (const index of command.indexes as Doc[])
          if (index.unique === true) store.addUnique(target, Object.keys(index.key as Doc));
        return {};
      case 'drop':
        store.drop(target);
        return {};
      default:
        return write(store, name, target, command);
    }
  }

  private cursor(namespace: string, docs: readonly Doc[], { batchSize, singleBatch }: Doc): Doc {
    const first: OpenCursor = { namespace, docs, at: 0 };
    const firstBatch = nextBatch(first, batchSize === undefined ? FIRST_BATCH : Number(batchSize));
    if (first.at >= docs.length || singleBatch === true)
      return { cursor: { id: Long.ZERO, ns: namespace, firstBatch } };
    const id = ++this.lastCursor;
    this.cursors.set(String(id), first);
    return { cursor: { id: Long.fromNumber(id), ns: namespace, firstBatch } };
  }

  private more({ getMore, batchSize }: Doc): Doc {
    const cursor = this.cursors.get(String(getMore));
    if (!cursor) throw new CommandError(43, 'CursorNotFound', `cursor id ${String(getMore)} not found`);
    const nextDocs = nextBatch(cursor, batchSize === undefined ? Infinity : Number(batchSize));
    const isDone = cursor.at >= cursor.docs.length;
    if (isDone) this.cursors.delete(String(getMore));
    const id = isDone ? Long.ZERO : Long.fromString(String(getMore));
    return { cursor: { id, ns: cursor.namespace, nextBatch: nextDocs } };
  }

  private kill({ cursors }: Doc): Doc {
    const ids = (cursors as unknown[]).map(String);
    const killed = ids.filter((id) => this.cursors.delete(id));
    return { cursorsKilled: killed.map((id) => Long.fromString(id)) };
  }
}

function nextBatch(cursor: OpenCursor, size: number): readonly Doc[] {
  const batch: Doc[] = [];
  let bytes = 0;
  while (batch.length < size && cursor.at < cursor.docs.length) {
    const doc = cursor.docs[cursor.at] ?? {};
    bytes += BSON.calculateObjectSize(doc);
    if (bytes > BATCH_BYTES && batch.length > 0) break;
    batch.push(doc);
    cursor.at += 1;
  }
  return batch;
}

function find(docs: readonly Doc[], command: Doc): readonly Doc[] {
  const { filter = {}, skip = 0, limit = 0 } = command as { filter?: Doc; skip?: unknown; limit?: unknown };
  const found = docs.filter((doc) => matches(filter, doc)).slice(Number(skip));
  return Number(limit) === 0 ? found : found.slice(0, Number(limit));
}

function write(store: Store, name: string, target: string, command: Doc): Doc {
  switch (name) {
    case 'insert':
      return written((command.documents as Doc[]).map((doc) => () => store.insert(target, doc)));
    case 'update': {
      const changes = (command.updates as Doc[]).map(
        ({ q, u }) =>
          () =>
            store.update(target, q as Doc, u as Doc),
      );
      return written(changes);
    }
    case 'delete':
      return written(
        (command.deletes as Doc[]).map(
          ({ q }) =>
            () =>
              store.remove(target, q as Doc),
        ),
      );
    case 'findAndModify': {
      const { query, update, remove, new: isNew } = command;
      if (remove === true) return { value: store.remove(target, query as Doc) ?? null };
      const found = store.update(target, query as Doc, update as Doc);
      return { value: (isNew === true ? found?.after : found?.before) ?? null };
    }
    default:
      throw new CommandError(59, 'CommandNotFound', `no such command: '${name}'`);
  }
}

/** One after the other, up to the first that fails. */
function written(steps: readonly (() => unknown)[]): Doc {
  let n = 0;
  for (const [index, step] of steps.entries()) {
    try {
      step();
      n += 1;
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      return { n, writeErrors: [{ index, code: error.code, errmsg: error.message, ...error.extra }] };
    }
  }
  return { n };
}

const ANYBODY = ['hello', 'isMaster', 'ismaster', 'saslStart', 'saslContinue', 'buildInfo', 'ping', 'endSessions'];

/** Who speaks on one socket. */
class Session {
  private conversation: ScramConversation | undefined;
  private isSignedIn = false;

  constructor(
    private readonly account: Account,
    private readonly authDatabase: string,
    private readonly iterations: () => number,
  ) {}

  /** What needs no database; undefined for all else. */
  answer(name: string, command: Doc): Doc | undefined {
    if (!this.isSignedIn && !ANYBODY.includes(name))
      throw new CommandError(13, 'Unauthorized', `command ${name} requires authentication`);
    switch (name) {
      case 'hello':
      case 'isMaster':
      case 'ismaster':
        return hello(command);
      case 'ping':
      case 'endSessions':
      case 'killOp':
        return {};
      case 'buildInfo':
        return { version: '7.0.0', versionArray: [7, 0, 0, 0] };
      case 'saslStart':
        return this.begin(command);
      case 'saslContinue':
        return this.finish(command);
      default:
        return undefined;
    }
  }

  private begin(command: Doc): Doc {
    if (command.mechanism !== 'SCRAM-SHA-256' || command.$db !== this.authDatabase)
      throw new CommandError(18, 'AuthenticationFailed', 'Authentication failed.');
    this.conversation = new ScramConversation(this.account, this.iterations());
    return { conversationId: 1, done: false, payload: Buffer.from(this.conversation.begin(textOf(command.payload))) };
  }

  private finish(command: Doc): Doc {
    if (this.isSignedIn) return { conversationId: 1, done: true, payload: Buffer.alloc(0) };
    const last = this.conversation?.finish(textOf(command.payload));
    if (last === undefined) throw new CommandError(18, 'AuthenticationFailed', 'Authentication failed.');
    this.isSignedIn = true;
    return { conversationId: 1, done: false, payload: Buffer.from(last) };
  }
}

const textOf = (payload: unknown): string => Buffer.from((payload as { value(): Uint8Array }).value()).toString('utf8');

const hello = (command: Doc): Doc => ({
  ...(command.saslSupportedMechs === undefined ? {} : { saslSupportedMechs: ['SCRAM-SHA-256'] }),
  isWritablePrimary: true, ismaster: true, helloOk: true, maxBsonObjectSize: 16_777_216, maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 100_000, localTime: new Date(), logicalSessionTimeoutMinutes: 30, connectionId: 1, minWireVersion: 0,
  maxWireVersion: 21, readOnly: false,
}); // prettier-ignore
