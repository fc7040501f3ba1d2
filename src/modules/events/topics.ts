import { isId, type Id } from '../../common/index.js';

/** Everything that modules and nodes tell each other. Facts in the past tense; a listener may hear one twice or not at all. */
export interface Topics {
  /** A hint that the change log of a table reached `seq`; sent straight after the commit, not through the outbox. */
  'rows.changed': { readonly schema: string; readonly tableId: Id; readonly seq: number };
  /** Columns or name of a table changed, or the table was created, deleted or restored. */
  'schema.changed': { readonly tableId: Id; readonly baseId: Id; readonly workspaceId: Id };
  /** An index of a table was added or is to be dropped; whichever node comes first does it. */
  'index.changed': { readonly tableId: Id };
  /** A column is to be given another type in the background, or no longer; whichever node comes first sees to it. */
  'conversion.changed': { readonly tableId: Id };
  /** How far an import is. Nothing but a courtesy to those who look on: whoever has to know asks for the import itself. */
  'import.progressed': ImportProgress;
  /** An import is to be worked at in the background; whichever node comes first does it. */
  'import.queued': { readonly importId: Id };
  /** An import is to end. */
  'import.cancelled': { readonly importId: Id };
  /** Somebody came to a channel, does something else there, or left, which an empty state says. Told again and again while he is there. */
  'presence.changed': {
    readonly channel: string;
    readonly presenceId: Id;
    readonly userId: Id;
    readonly name: string;
    readonly state: string;
  };
  /** A node wants to hear who is with the others. */
  'presence.asked': { readonly by: Id };
  /** Somebody asks others to leave a cell to him, told again and again while he does, or does so no longer. */
  'lock.changed': {
    readonly channel: string;
    readonly rowId: string;
    readonly columnKey: string;
    readonly holder: Id;
    readonly userId: Id;
    readonly name: string;
    readonly since: number;
    readonly held: boolean;
  };
  /** A connection to an external database was made, changed or removed. */
  'connection.changed': { readonly connectionId: Id; readonly workspaceId: Id };
  /** The schema of an external database was read anew. */
  'connection.discovered': { readonly connectionId: Id };
  /** A row of an external database was changed by us. Nothing tells of changes that others make there. */
  'object.changed': ObjectChange;
  /** A view was made, changed, deleted, restored or purged. */
  'view.changed': { readonly viewId: Id; readonly workspaceId: Id };
  /** What is shown of a view to the world, to whom, or under which address. */
  'publication.changed': { readonly viewId: Id; readonly workspaceId: Id; readonly slug: string };
  /** A webhook was made, changed, given up or removed. */
  'webhook.changed': { readonly webhookId: Id; readonly workspaceId: Id };
  'base.changed': { readonly baseId: Id; readonly workspaceId: Id };
  'workspace.changed': { readonly workspaceId: Id };
  /** A membership was added, removed, or has another role. */
  'member.changed': { readonly workspaceId: Id; readonly userId: Id };
  'session.revoked': { readonly sessionId: Id; readonly userId: Id };
  /** Profile, password or status of a person changed. */
  'user.changed': { readonly userId: Id };
  /** A mail waits to be sent; whichever node comes first sends it. */
  'mail.queued': { readonly mailId: Id };
}
export type Topic = keyof Topics;

/** How far an import is: bytes of the file, and rows. */
export interface ImportProgress {
  readonly tableId: Id;
  readonly importId: Id;
  readonly state: string;
  readonly bytes: number;
  readonly bytesRead: number;
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly failed: number;
}

/** A change of a row of an external database; `row` is the JSON text of its fields, empty where it is long. */
export interface ObjectChange {
  readonly connectionId: Id;
  readonly workspaceId: Id;
  readonly object: string;
  readonly op: string;
  readonly row: string;
  readonly actorId: Id;
  readonly actorName: string;
  /** Empty where there is none. */
  readonly clientId: string;
}

type Check = (value: unknown) => boolean;
const text: Check = (value) => typeof value === 'string' && value.length > 0 && value.length <= 255;
const count: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;

const SHAPES: { readonly [T in Topic]: Readonly<Record<keyof Topics[T], Check>> } = {
  'rows.changed': { schema: text, tableId: isId, seq: count },
  'schema.changed': { tableId: isId, baseId: isId, workspaceId: isId },
  'index.changed': { tableId: isId },
  'conversion.changed': { tableId: isId },
  'import.progressed': {
    tableId: isId,
    importId: isId,
    state: text,
    bytes: count,
    bytesRead: count,
    created: count,
    updated: count,
    unchanged: count,
    failed: count,
  },
  'import.queued': { importId: isId },
  'import.cancelled': { importId: isId },
  'presence.changed': {
    channel: (value) => typeof value === 'string' && value.length <= 400,
    presenceId: isId,
    userId: isId,
    name: (value) => typeof value === 'string',
    state: (value) => typeof value === 'string' && value.length <= 4_000,
  },
  'presence.asked': { by: isId },
  'lock.changed': {
    channel: (value) => typeof value === 'string' && value.length <= 400,
    rowId: text,
    columnKey: text,
    holder: isId,
    userId: isId,
    name: (value) => typeof value === 'string',
    since: count,
    held: (value) => typeof value === 'boolean',
  },
  'connection.changed': { connectionId: isId, workspaceId: isId },
  'connection.discovered': { connectionId: isId },
  'object.changed': {
    connectionId: isId,
    workspaceId: isId,
    object: (value) => typeof value === 'string',
    op: text,
    row: (value) => typeof value === 'string',
    actorId: isId,
    actorName: (value) => typeof value === 'string',
    clientId: (value) => typeof value === 'string',
  },
  'view.changed': { viewId: isId, workspaceId: isId },
  'publication.changed': { viewId: isId, workspaceId: isId, slug: text },
  'webhook.changed': { webhookId: isId, workspaceId: isId },
  'base.changed': { baseId: isId, workspaceId: isId },
  'workspace.changed': { workspaceId: isId },
  'member.changed': { workspaceId: isId, userId: isId },
  'session.revoked': { sessionId: isId, userId: isId },
  'user.changed': { userId: isId },
  'mail.queued': { mailId: isId },
};

export const isTopic = (name: unknown): name is Topic => typeof name === 'string' && Object.hasOwn(SHAPES, name);

/** Whether a payload that came from outside this process has the shape of its topic. Further members are allowed: a newer node may send them. */
export function isPayloadOf<T extends Topic>(topic: T, payload: unknown): payload is Topics[T] {
  if (typeof payload !== 'object' || payload === null) return false;
  const members: Readonly<Record<string, unknown>> = { ...payload };
  return Object.entries<Check>(SHAPES[topic]).every(([name, check]) => check(members[name]));
}
