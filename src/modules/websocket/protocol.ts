import type { SocketProtocol } from '../../docs/index.js';
import { ERRORS, Problem, type ErrorCode } from '../../common/index.js';
import { TO_FOLLOW, TO_FOLLOW_OBJECT, TO_FOLLOW_VIEW, TO_FOLLOW_WORKSPACE, TO_LOCK } from './channel-access.js';
import {
  AuthenticatedAnswer,
  AuthMessage,
  CellLockEvent,
  DataUpdateEvent,
  EndedControl,
  ImportProgressEvent,
  InvalidatedEvent,
  LockAnswer,
  LockMessage,
  ObjectInvalidatedEvent,
  ObjectPolledEvent,
  ObjectSubscribedAnswer,
  ObjectUpdateEvent,
  PresenceAnswer,
  PresenceMessage,
  RefusedAnswer,
  ResetAnswer,
  ResetControl,
  RevokedControl,
  SchemaUpdateEvent,
  SubscribedAnswer,
  SubscribeMessage,
  UnlockAnswer,
  UnsubscribedAnswer,
  UnsubscribeMessage,
  UpToDateControl,
  UserCursorEvent,
  UserJoinEvent,
  UserLeaveEvent,
  ViewDataUpdateEvent,
  ViewInvalidatedEvent,
  ViewUpdateEvent,
  WorkspaceUpdateEvent,
} from './messages/index.js';

const CHANNEL = 'table:01a20530-ea87-76da-9e07-24ab4bf004f6';
const VIEW = 'view:01a20530-eb11-7d2e-a6c4-0f9e8d7c6b5a';
const WORKSPACE = 'workspace:01a20530-e870-7b0c-8f3a-51c7d0a9e2b4';
const OBJECT = 'object:01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11:public.customers';
const EPOCH = '01a20530-ea87-76da-9e07-2f1773ec39f0';
const ADA = '01a20530-e84f-720c-b018-1562d747c242';
const ROW = '01a20530-ec9c-753b-ae4a-b87b817f3b72';
const AT = '2026-11-22T21:37:02.112Z';

/** What all events of the examples share. */
const NUMBERED = {
  channel: CHANNEL,
  epoch: EPOCH,
  seq: 5,
  prev: 4,
  schemaVersion: 2,
  at: AT,
  actor: { id: ADA, name: 'Ada Lovelace', clientId: 'my-tab' },
} satisfies SchemaUpdateEvent;
const OF_ROWS = { ...NUMBERED, changeSet: '01a20530-ec9c-753b-ae4a-be7911724a62', source: 'api' };
const OF_WORKSPACE = { channel: WORKSPACE, epoch: EPOCH, seq: 5, prev: 4, at: AT };
const OF_OBJECT = { channel: OBJECT, at: AT, source: 'api' as const, actor: NUMBERED.actor };
const IDS = { id: ROW, version: 1 };

const PERSON = {
  presenceId: ROW,
  user: { id: ADA, name: 'Ada Lovelace' },
  state: { cursor: { rowId: ROW, columnKey: 'name' }, mode: 'viewing' as const },
};

const LOCK = { cell: { rowId: ROW, columnKey: 'name' }, user: PERSON.user };

const refusal = (code: ErrorCode, detail: string) => ({
  summary: ERRORS[code].title,
  payload: { ok: false, error: new Problem(code, { detail }).body({ requestId: ROW }) } satisfies RefusedAnswer,
});

const refused = {
  id: 'refused',
  title: 'The message was refused',
  description: 'Any message may be answered with this; nothing was done then.',
  payload: [RefusedAnswer],
  examples: [
    refusal('not_found', 'table does not exist or is not visible to you.'),
    refusal(
      'validation_failed',
      'A channel is named table:<id>, view:<id>, workspace:<id> or object:<connection id>:<schema>.<name>.',
    ),
  ],
} as const;

/** All messages of the socket. What is sent and taken is typed by the same classes. */
export const SOCKET_PROTOCOL: SocketProtocol = {
  fromClient: [
    {
      id: 'subscribe',
      event: 'subscribe',
      title: 'Follow a channel',
      description:
        'To subscribe again to the same channel is to begin again. A socket may follow 200 channels. ' +
        `A view needs \`${TO_FOLLOW_VIEW}\`, a workspace \`${TO_FOLLOW_WORKSPACE}\`, an object of an external database \`${TO_FOLLOW_OBJECT}\`.`,
      permission: TO_FOLLOW,
      payload: [SubscribeMessage],
      examples: [
        { summary: 'From now on', payload: { channel: CHANNEL } satisfies SubscribeMessage },
        {
          summary: 'From where I stand',
          payload: { channel: CHANNEL, from: { epoch: EPOCH, seq: 41 } } satisfies SubscribeMessage,
        },
        { summary: 'What a view shows', payload: { channel: VIEW } satisfies SubscribeMessage },
        { summary: 'What happens in a workspace', payload: { channel: WORKSPACE } satisfies SubscribeMessage },
        { summary: 'An object of an external database', payload: { channel: OBJECT } satisfies SubscribeMessage },
      ],
      answers: [
        {
          id: 'subscribed',
          title: 'The feed has begun, or cannot go on from there',
          payload: [SubscribedAnswer, ObjectSubscribedAnswer, ResetAnswer],
          examples: [
            {
              summary: 'Nothing was missed',
              payload: {
                ok: true,
                channel: CHANNEL,
                mode: 'live',
                epoch: EPOCH,
                seq: 41,
                schemaVersion: 2,
              } satisfies SubscribedAnswer,
            },
            {
              summary: 'The missed events follow, then `control` up_to_date',
              payload: {
                ok: true,
                channel: CHANNEL,
                mode: 'replay',
                epoch: EPOCH,
                seq: 43,
                schemaVersion: 2,
              } satisfies SubscribedAnswer,
            },
            {
              summary: 'A view of rows of one table',
              payload: {
                ...{ ok: true, channel: VIEW, mode: 'live', epoch: EPOCH, seq: 41, schemaVersion: 2 },
                tells: 'rows',
              } satisfies SubscribedAnswer,
            },
            {
              summary: 'An object of an external database, which has no log',
              payload: { ok: true, channel: OBJECT, mode: 'live' } satisfies ObjectSubscribedAnswer,
            },
            {
              summary: 'Read the table again; nothing was subscribed',
              payload: {
                ok: true,
                channel: CHANNEL,
                mode: 'reset',
                epoch: EPOCH,
                seq: 9043,
                schemaVersion: 2,
                reason: 'too_far',
              } satisfies ResetAnswer,
            },
          ],
        },
        refused,
      ],
    },
    {
      id: 'unsubscribe',
      event: 'unsubscribe',
      title: 'Follow a channel no longer',
      description: 'That it was not followed is no error.',
      payload: [UnsubscribeMessage],
      examples: [{ summary: 'Enough', payload: { channel: CHANNEL } satisfies UnsubscribeMessage }],
      answers: [
        {
          id: 'unsubscribed',
          title: 'The channel is not followed any more',
          payload: [UnsubscribedAnswer],
          examples: [{ summary: 'Done', payload: { ok: true, channel: CHANNEL } satisfies UnsubscribedAnswer }],
        },
        refused,
      ],
    },
    {
      id: 'presence',
      event: 'presence',
      title: 'Be at a channel, and do something there',
      description:
        'Whoever follows the channel is told, at most twenty times a second. Ends with `unsubscribe`, with the right to read, and with the socket. The answer says who else is there.',
      permission: TO_FOLLOW,
      payload: [PresenceMessage],
      examples: [
        {
          summary: 'Editing a cell',
          payload: {
            channel: CHANNEL,
            state: { cursor: { rowId: ROW, columnKey: 'name' }, mode: 'editing' },
          } satisfies PresenceMessage,
        },
      ],
      answers: [
        {
          id: 'present',
          title: 'Who else is there',
          payload: [PresenceAnswer],
          examples: [
            {
              summary: 'One other',
              payload: {
                ok: true,
                channel: CHANNEL,
                presenceId: EPOCH,
                present: [PERSON],
                locks: [LOCK],
              } satisfies PresenceAnswer,
            },
          ],
        },
        refused,
      ],
    },
    {
      id: 'lock',
      event: 'lock',
      title: 'Ask others to leave a cell to me',
      description:
        'A courtesy among editors: no write is refused for it. Whom rules keep from part of the table may lock cells that he sees and may change. Ends after 30 seconds unless it is sent again, with `unlock`, `unsubscribe`, the right to write, and the socket. A socket may hold 10 cells.',
      permission: TO_LOCK,
      payload: [LockMessage],
      examples: [{ summary: 'Before editing', payload: { channel: CHANNEL, cell: LOCK.cell } satisfies LockMessage }],
      answers: [
        {
          id: 'locked',
          title: 'Whose the cell is now',
          payload: [LockAnswer],
          examples: [
            {
              summary: 'Mine',
              payload: { ok: true, channel: CHANNEL, mine: true, ...LOCK, until: AT } satisfies LockAnswer,
            },
            {
              summary: 'Another one was first',
              payload: { ok: true, channel: CHANNEL, mine: false, ...LOCK } satisfies LockAnswer,
            },
          ],
        },
        refused,
      ],
    },
    {
      id: 'unlock',
      event: 'unlock',
      title: 'Leave the cell to others',
      description: 'That it was not held is no error.',
      payload: [LockMessage],
      examples: [{ summary: 'Done', payload: { channel: CHANNEL, cell: LOCK.cell } satisfies LockMessage }],
      answers: [
        {
          id: 'unlocked',
          title: 'The cell is not held any more',
          payload: [UnlockAnswer],
          examples: [
            { summary: 'Done', payload: { ok: true, channel: CHANNEL, cell: LOCK.cell } satisfies UnlockAnswer },
          ],
        },
        refused,
      ],
    },
    {
      id: 'auth',
      event: 'auth',
      title: 'Give the socket a fresh token',
      description: 'Of the same person; one of another person is a 403. The socket ends with its token.',
      payload: [AuthMessage],
      examples: [
        { summary: 'Before the old one ends', payload: { token: 'eyJhbGciOiJIUzI1NiJ9…' } satisfies AuthMessage },
      ],
      answers: [
        {
          id: 'authenticated',
          title: 'The socket lives as long as this token',
          payload: [AuthenticatedAnswer],
          examples: [{ summary: 'Done', payload: { ok: true, expiresAt: AT } satisfies AuthenticatedAnswer }],
        },
        refused,
      ],
    },
  ],
  fromServer: [
    {
      id: 'dataUpdate',
      event: 'data:update',
      title: 'Rows were created, changed, deleted',
      description:
        'Everything that one number did. Apply `created`, `updated`, `deleted` in this order. More than 200 rows or 64 KiB are announced without their data. Of a view of rows of one table: what came into it, changed and left; of others that they are to be read again.',
      payload: [DataUpdateEvent, InvalidatedEvent, ViewDataUpdateEvent, ViewInvalidatedEvent],
      examples: [
        {
          summary: 'One bulk call',
          payload: {
            ...OF_ROWS,
            created: [
              { ...IDS, fields: { name: 'Acme' }, createdAt: AT, createdBy: ADA, updatedAt: AT, updatedBy: ADA },
            ],
            updated: [{ id: '01a20530-ebb4-7318-96ca-ef68b08e4095', version: 2, fields: { name: 'Globex' } }],
            deleted: [{ id: '01a20530-ebb4-7318-96ca-f1fad817cc96', version: 3 }],
          } satisfies DataUpdateEvent,
        },
        {
          summary: 'Too much for one event: read again',
          payload: { ...OF_ROWS, invalidated: true, rowIds: [ROW] } satisfies InvalidatedEvent,
        },
        {
          summary: 'A view: one row came into it, one changed its place, one left',
          payload: {
            ...OF_ROWS,
            channel: VIEW,
            created: [],
            entered: [{ ...IDS, fields: { name: 'Acme', twice: '4' } }],
            updated: [{ id: EPOCH, version: 2, fields: { name: 'Globex' } }],
            deleted: [],
            left: ['01a20530-ebb4-7318-96ca-f1fad817cc96'],
            moved: [EPOCH],
          } satisfies ViewDataUpdateEvent,
        },
        {
          summary: 'A view that several tables have a say in: read it again',
          payload: {
            ...{ channel: VIEW, epoch: EPOCH, seq: 112, prev: 109, at: AT },
            invalidated: true,
            cause: { kind: 'tables', tables: ['01a20530-ea87-76da-9e07-24ab4bf004f6'] },
          } satisfies ViewInvalidatedEvent,
        },
      ],
    },
    {
      id: 'schemaUpdate',
      event: 'schema:update',
      title: 'The structure of the table changed',
      description:
        'Read its description again: `GET /api/v1/tables/{tableId}`. After `column.converted` (or `column.source_converted`, of a lookup or rollup that shows ' +
        'such a column) and `column.restored` in `change` also the values of that column.',
      payload: [SchemaUpdateEvent],
      examples: [
        {
          summary: 'A column was added',
          payload: {
            ...NUMBERED,
            schemaVersion: 3,
            change: { 'column.created': { id: ROW, key: 'price', name: 'Price', type: 'decimal', default: null } },
          } satisfies SchemaUpdateEvent,
        },
      ],
    },
    {
      id: 'viewUpdate',
      event: 'view:update',
      title: 'The view was changed, or cannot be read any more',
      description: 'Where it may show something else now, `control` reset follows.',
      payload: [ViewUpdateEvent],
      examples: [
        {
          summary: 'Renamed',
          payload: { channel: VIEW, at: AT, name: 'Open deals', version: 4, updatedBy: ADA } satisfies ViewUpdateEvent,
        },
        {
          summary: 'A column that it shows is gone',
          payload: {
            ...{ channel: VIEW, at: AT, name: 'Open deals', version: 4, updatedBy: ADA },
            problem: new Problem('view_broken', { detail: 'There is no field "stage".' }).body(),
          } satisfies ViewUpdateEvent,
        },
      ],
    },
    {
      id: 'workspaceUpdate',
      event: 'workspace:update',
      title: 'Something happened in the workspace, but to rows',
      description:
        'Members, bases, tables, columns, views and connections, with numbers of the workspace. Without `change` it was about the private view of somebody else.',
      payload: [WorkspaceUpdateEvent],
      examples: [
        {
          summary: 'A table was made',
          payload: {
            ...OF_WORKSPACE,
            actor: NUMBERED.actor,
            change: { action: 'table.created', resource: { type: 'table', id: ROW, name: 'Deals', baseId: EPOCH } },
          } satisfies WorkspaceUpdateEvent,
        },
        {
          summary: 'A member has another role',
          payload: {
            ...OF_WORKSPACE,
            actor: NUMBERED.actor,
            change: {
              action: 'member.updated',
              resource: { type: 'member', id: ROW, name: 'Grace Hopper' },
              role: 'editor',
            },
          } satisfies WorkspaceUpdateEvent,
        },
        {
          summary: 'Nothing that concerns you',
          payload: OF_WORKSPACE satisfies WorkspaceUpdateEvent,
        },
      ],
    },
    {
      id: 'importProgress',
      event: 'import:progress',
      title: 'How far an import into the table is',
      description:
        'Every two seconds while it lasts, and at its end. Beside the numbered stream: one may be missed, and `GET /api/v1/imports/{importId}` always tells.',
      payload: [ImportProgressEvent],
      examples: [
        {
          summary: 'Half-way',
          payload: {
            channel: CHANNEL,
            id: OF_ROWS.changeSet,
            state: 'running',
            bytes: 104_857_600,
            bytesRead: 52_428_800,
            created: 500_000,
            updated: 0,
            unchanged: 0,
            failed: 2,
          } satisfies ImportProgressEvent,
        },
      ],
    },
    {
      id: 'objectUpdate',
      event: 'object:update',
      title: 'An object of an external database changed',
      description: 'At most once and without a number: after a reconnect, read again.',
      payload: [ObjectUpdateEvent, ObjectInvalidatedEvent, ObjectPolledEvent],
      examples: [
        {
          summary: 'A row was changed through this API',
          payload: { ...OF_OBJECT, op: 'update', fields: { id: 1, name: 'Acme' } } satisfies ObjectUpdateEvent,
        },
        {
          summary: 'A row that is too long for an event',
          payload: { ...OF_OBJECT, op: 'insert', invalidated: true } satisfies ObjectInvalidatedEvent,
        },
        {
          summary: 'Somebody else changed something (EXTERNAL_POLL_INTERVAL)',
          payload: { channel: OBJECT, at: AT, op: 'changed', source: 'poll' } satisfies ObjectPolledEvent,
        },
      ],
    },
    {
      id: 'userJoin',
      event: 'user:join',
      title: 'Somebody came to the channel',
      description: 'With what he does there. Beside the numbered stream, as the other events of people.',
      payload: [UserJoinEvent],
      examples: [{ summary: 'Looking', payload: { channel: CHANNEL, at: AT, ...PERSON } satisfies UserJoinEvent }],
    },
    {
      id: 'userCursor',
      event: 'user:cursor',
      title: 'Somebody at the channel does something else',
      description: 'Another cell, or another mode.',
      payload: [UserCursorEvent],
      examples: [
        {
          summary: 'Editing',
          payload: { channel: CHANNEL, at: AT, ...PERSON, state: { mode: 'editing' } } satisfies UserCursorEvent,
        },
      ],
    },
    {
      id: 'userLeave',
      event: 'user:leave',
      title: 'Somebody left the channel',
      description: 'Or is not heard of any more: within 40 seconds where a node died.',
      payload: [UserLeaveEvent],
      examples: [
        {
          summary: 'Gone',
          payload: { channel: CHANNEL, presenceId: ROW, user: PERSON.user, at: AT } satisfies UserLeaveEvent,
        },
      ],
    },
    {
      id: 'cellLock',
      event: 'cell:lock',
      title: 'Somebody asks others to leave a cell to him, or does so no longer',
      description:
        'Told to those who see the cell; that a cell is locked not to the window that locked it. Who held it and hears of another one lost it: that one was earlier.',
      payload: [CellLockEvent],
      examples: [
        { summary: 'Locked', payload: { channel: CHANNEL, ...LOCK, locked: true, at: AT } satisfies CellLockEvent },
        { summary: 'Free', payload: { channel: CHANNEL, ...LOCK, locked: false, at: AT } satisfies CellLockEvent },
      ],
    },
    {
      id: 'control',
      event: 'control',
      title: 'How a subscription, or the socket, goes on',
      payload: [UpToDateControl, ResetControl, RevokedControl, EndedControl],
      examples: [
        {
          summary: 'The replay is complete',
          payload: { type: 'up_to_date', channel: CHANNEL, epoch: EPOCH, seq: 43 } satisfies UpToDateControl,
        },
        {
          summary: 'Read the table again, then subscribe: this subscription has ended',
          payload: {
            type: 'reset',
            channel: CHANNEL,
            reason: 'epoch_changed',
            epoch: EPOCH,
            seq: 0,
          } satisfies ResetControl,
        },
        {
          summary: 'The right to read has ended, and the subscription with it',
          payload: { type: 'revoked', channel: CHANNEL } satisfies RevokedControl,
        },
        {
          summary: 'The session has ended; the socket is closed',
          payload: {
            type: 'revoked',
            error: new Problem('unauthenticated', { detail: 'The session has ended.' }).body(),
          } satisfies EndedControl,
        },
      ],
    },
  ],
};
