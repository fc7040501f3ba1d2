import type { Connection } from './connection.js';
import { LiveChannel } from './live-channel.js';
import type { Schemas } from './openapi.js';
import { ApiError } from './problem.js';
import type { Actor, Position, Told, UpdateName, WorkspaceNumbered } from './protocol.js';

/** A view without what depends on its sources, too: their changes are told of elsewhere. */
export type WorkspaceView = Omit<Schemas['ViewDto'], 'columns' | 'problem'>;

/** What there is in a workspace, but rows: each by its id. */
export interface WorkspaceContents {
  readonly workspace: Schemas['WorkspaceDto'];
  readonly members: ReadonlyMap<string, Schemas['MemberDto']>;
  readonly bases: ReadonlyMap<string, Schemas['BaseDto']>;
  readonly tables: ReadonlyMap<string, Schemas['TableDto']>;
  readonly views: ReadonlyMap<string, WorkspaceView>;
  readonly connections: ReadonlyMap<string, Schemas['ConnectionDto']>;
}

/** What happened: a change that is in the copy now, or all of it read anew (the first time, too). */
export type LiveWorkspaceChange =
  | {
      readonly kind: 'changed';
      readonly seq: number;
      /** Both are missing where it was about the private view of somebody else. */
      readonly actor: Actor | undefined;
      readonly change: WorkspaceNumbered['change'];
    }
  | { readonly kind: 'read'; readonly seq: number };

/** Reads parts of a workspace. Everything may throw {@link ApiError}. */
export interface WorkspaceReader {
  workspace(): Promise<Schemas['WorkspaceDto']>;
  members(): Promise<readonly Schemas['MemberDto'][]>;
  bases(): Promise<readonly Schemas['BaseDto'][]>;
  tables(baseId: string): Promise<readonly Schemas['TableDto'][]>;
  views(): Promise<readonly Schemas['ViewDto'][]>;
  connections(): Promise<readonly Schemas['ConnectionDto'][]>;
  table(id: string): Promise<Schemas['TableDto']>;
  view(id: string): Promise<Schemas['ViewDto']>;
  connection(id: string): Promise<Schemas['ConnectionDto']>;
}

type Writable = { -readonly [Part in keyof WorkspaceContents]: WorkspaceContents[Part] };

/**
 * A local copy of what a workspace is made of: members, bases, tables with their columns, views and connections. Events say what happened to what;
 * it is asked for then, so that the copy has what was done up to the number {@link seq}, and perhaps some of what came behind it.
 */
export class LiveWorkspace extends LiveChannel<LiveWorkspaceChange> {
  private parts: Writable | undefined;
  /** Told, and not in the copy yet. */
  private waiting: WorkspaceNumbered[] = [];
  private catching: Promise<void> | undefined;
  private shown = 0;

  constructor(
    id: string,
    connection: Connection,
    private readonly reader: WorkspaceReader,
    left: () => void,
  ) {
    super(id, `workspace:${id}`, connection, left);
    this.begin();
  }

  /** Undefined before the first read. */
  get contents(): WorkspaceContents | undefined {
    return this.parts;
  }

  override get seq(): number {
    return this.shown;
  }

  protected receive(name: UpdateName, told: Told): void {
    if (name !== 'workspace:update') return;
    const event = told as unknown as WorkspaceNumbered;
    if (!this.isNext(event)) return;
    this.position = { epoch: event.epoch, seq: event.seq };
    this.waiting.push(event);
    this.catching ??= this.catchUp().finally(() => (this.catching = undefined));
  }

  protected async read(): Promise<Position | undefined> {
    // First the number, then the lists: what lies between is told again, and asked for again.
    const { epoch, seq } = await this.connection.follow(this, this.channel);
    const parts = await this.readParts();
    if (this.state === 'ended') return undefined;
    this.parts = parts;
    this.waiting = [];
    this.shown = seq;
    this.emit('change', { kind: 'read', seq });
    return { epoch, seq };
  }

  private async readParts(): Promise<Writable> {
    const { reader } = this;
    const [workspace, members, bases, views, connections] = await Promise.all([
      reader.workspace(),
      reader.members(),
      reader.bases(),
      reader.views(),
      reader.connections(),
    ]);
    const tables = await Promise.all(bases.map(({ id }) => unlessGone(reader.tables(id))));
    return {
      workspace,
      members: byId(members),
      bases: byId(bases),
      tables: byId(tables.flatMap((list) => list ?? [])),
      views: byId(views.map(itself)),
      connections: byId(connections),
    };
  }

  /** Asks for what was told of, one event after the other. */
  private async catchUp(): Promise<void> {
    try {
      for (let event = this.waiting[0]; event && this.parts && this.state !== 'ended'; event = this.waiting[0]) {
        const change = event.change && (await this.renewed(event.change.resource));
        // It was all read anew meanwhile.
        if (this.waiting[0] !== event) continue;
        this.waiting.shift();
        if (change) this.parts = { ...this.parts, ...change };
        this.shown = event.seq;
        this.emit('change', { kind: 'changed', seq: event.seq, actor: event.actor, change: event.change });
      }
    } catch (error) {
      // What could not be asked for is not in the copy, whatever comes next.
      this.wantSoon(0);
      this.failed(error);
    }
  }

  /** The part of the workspace that something is in, as it is now. */
  private async renewed({
    type,
    id,
    tableId,
  }: NonNullable<WorkspaceNumbered['change']>['resource']): Promise<Partial<Writable>> {
    const { reader, parts } = this;
    if (!parts) return {};
    switch (type) {
      case 'workspace':
        return { workspace: await reader.workspace() };
      case 'member':
        return { members: byId(await reader.members()) };
      case 'base': {
        const bases = byId(await reader.bases());
        const tables = id !== null && bases.has(id) ? ((await unlessGone(reader.tables(id))) ?? []) : [];
        const others = [...parts.tables.values()].filter((table) => table.baseId !== id);
        return { bases, tables: byId([...others, ...tables]) };
      }
      case 'table':
      case 'column': {
        const which = type === 'table' ? id : tableId;
        return which == null ? {} : { tables: await replaced(parts.tables, which, (one) => reader.table(one)) };
      }
      case 'view':
        return id === null
          ? {}
          : { views: await replaced(parts.views, id, async (one) => itself(await reader.view(one))) };
      case 'connection':
        return id === null
          ? {}
          : { connections: await replaced(parts.connections, id, (one) => reader.connection(one)) };
      default:
        // Nothing that the copy shows, or newer than this package.
        return {};
    }
  }
}

const itself = ({ columns: _columns, problem: _problem, ...view }: Schemas['ViewDto']): WorkspaceView => view;

const byId = <T extends { readonly id: string }>(list: readonly T[]): ReadonlyMap<string, T> =>
  new Map(list.map((one) => [one.id, one]));

async function replaced<T>(
  all: ReadonlyMap<string, T>,
  id: string,
  read: (id: string) => Promise<T>,
): Promise<ReadonlyMap<string, T>> {
  const now = await unlessGone(read(id));
  const next = new Map(all);
  if (now === undefined) next.delete(id);
  else next.set(id, now);
  return next;
}

/** Undefined for what is not there any more, or not to be seen. */
async function unlessGone<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}
