import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ProblemDto } from '../../../common/errors/problem.dto.js';
import { ROLES, type ProblemBody } from '../../../common/index.js';
import { CellLock, PresentPerson, PresentUser, RESET_REASONS, type ResetReason } from './answers.dto.js';

const FIELDS = { type: 'object' as const, additionalProperties: true };
/** A number of the table's stream, or another count. */
const INTEGER = { type: 'integer' as const };
const UUID = { format: 'uuid' };
const TIME = { format: 'date-time' };
const SOMEBODY = { type: 'string' as const, format: 'uuid', nullable: true };

export const OBJECT_OPS = ['insert', 'update', 'delete'] as const;
export type ObjectOp = (typeof OBJECT_OPS)[number];

/** Who made a change. */
export class LiveActor {
  @ApiProperty({ ...SOMEBODY, description: 'Null for the system itself.' })
  readonly id!: string | null;
  readonly name!: string;
  /** `X-Client-Id` of the write, so that a client can tell its own echo. */
  readonly clientId?: string;
}

/** What every event of a channel says. */
class NumberedEvent {
  /** `table:<id>` */
  readonly channel!: string;
  @ApiProperty({ ...UUID, description: 'Numbers count within it; another one means that they began anew.' })
  readonly epoch!: string;
  @ApiProperty(INTEGER)
  readonly seq!: number;
  @ApiProperty({ ...INTEGER, description: 'The number before this one: who has seen it has missed nothing.' })
  readonly prev!: number;
  @ApiProperty(INTEGER)
  readonly schemaVersion!: number;
  @ApiProperty(TIME)
  readonly at!: string;
  @ApiProperty({ type: () => LiveActor })
  readonly actor!: LiveActor;
}

/** A row that is new to others, whole. A restored one does not tell when it was first made. */
export class CreatedRow {
  @ApiProperty(UUID)
  readonly id!: string;
  @ApiProperty(INTEGER)
  readonly version!: number;
  @ApiProperty(FIELDS)
  readonly fields!: Readonly<Record<string, unknown>>;
  @ApiProperty({ enum: [true], required: false })
  readonly restored?: true;
  @ApiProperty({ ...TIME, required: false })
  readonly createdAt?: string;
  @ApiProperty({ ...SOMEBODY, required: false })
  readonly createdBy?: string | null;
  @ApiProperty(TIME)
  readonly updatedAt!: string;
  @ApiProperty(SOMEBODY)
  readonly updatedBy!: string | null;
}

/** What changed in a row. */
export class UpdatedRow {
  @ApiProperty(UUID)
  readonly id!: string;
  @ApiProperty(INTEGER)
  readonly version!: number;
  @ApiProperty({ ...FIELDS, description: 'The changed fields only.' })
  readonly fields!: Readonly<Record<string, unknown>>;
}

/** A row that is gone. */
export class DeletedRow {
  @ApiProperty(UUID)
  readonly id!: string;
  @ApiProperty({ ...INTEGER, description: 'The version that the deletion made.' })
  readonly version!: number;
}

/** What every event of rows says besides. */
class RowsEvent extends NumberedEvent {
  @ApiProperty(UUID)
  readonly changeSet!: string;
  readonly source!: string;
}

/** Everything that one number did to rows: one for a single write, one for a whole bulk call. */
export class DataUpdateEvent extends RowsEvent {
  @ApiProperty({ type: () => [CreatedRow] })
  readonly created!: readonly CreatedRow[];
  @ApiProperty({ type: () => [UpdatedRow] })
  readonly updated!: readonly UpdatedRow[];
  @ApiProperty({ type: () => [DeletedRow] })
  readonly deleted!: readonly DeletedRow[];
}

/** More changed than one event holds: read again. */
export class InvalidatedEvent extends RowsEvent {
  @ApiProperty({ enum: [true] })
  readonly invalidated!: true;
  @ApiProperty({
    type: 'array',
    items: { type: 'string', ...UUID },
    required: false,
    description: 'Left out above 1,500.',
  })
  readonly rowIds?: readonly string[];
}

/**
 * Name or columns of the table changed: read its description again. After `column.converted`, `column.restored` and
 * `column.source_converted` also the values of that column, which changed without an event of their own.
 */
export class SchemaUpdateEvent extends NumberedEvent {
  @ApiPropertyOptional({
    ...FIELDS,
    description: 'What was done, by the name of the action. Left out where it is larger than 64 KiB.',
    example: {
      'column.converted': {
        id: '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11',
        key: 'price',
        name: 'Price',
        type: 'decimal',
        default: null,
      },
    },
  })
  readonly change?: Readonly<Record<string, unknown>>;
}

/** A row of a view: what the view shows of it. */
export class ViewRow {
  @ApiProperty(UUID)
  readonly id!: string;
  @ApiProperty(INTEGER)
  readonly version!: number;
  @ApiProperty({ ...FIELDS, description: 'By the keys of what the view shows; of `updated` the changed ones only.' })
  readonly fields!: Readonly<Record<string, unknown>>;
}

/**
 * What one number of the table did to a view of its rows. Most numbers do nothing to a view that shows little: then all lists are empty, and nothing is told
 * of what changed.
 */
export class ViewDataUpdateEvent extends RowsEvent {
  @ApiProperty({ type: () => [ViewRow], description: 'Rows that were made, and that the view has.' })
  readonly created!: readonly ViewRow[];
  @ApiProperty({ type: () => [ViewRow], description: 'Rows that were there, and that the view has now and had not.' })
  readonly entered!: readonly ViewRow[];
  @ApiProperty({ type: () => [ViewRow], description: 'Rows that stay: what changed of what is shown.' })
  readonly updated!: readonly ViewRow[];
  @ApiProperty({ type: () => [DeletedRow], description: 'Rows that the view had, and that are gone.' })
  readonly deleted!: readonly DeletedRow[];
  @ApiProperty({
    type: 'array',
    items: { type: 'string', ...UUID },
    description: 'Rows that are there, and that the view had and has not any more.',
  })
  readonly left!: readonly string[];
  @ApiProperty({
    type: 'array',
    items: { type: 'string', ...UUID },
    description: 'Rows that stay, and may stand in another place by the order of the view.',
  })
  readonly moved!: readonly string[];
}

export const VIEW_CAUSES = ['tables', 'object', 'time', 'size'] as const;

/** Why a view has to be read again. */
export class ViewCause {
  @ApiProperty({
    enum: VIEW_CAUSES,
    description:
      '`tables`: something was written there. `object`: an external one was changed. `time`: the view speaks of the time, which passed. `size`: more changed than one event holds.',
  })
  readonly kind!: (typeof VIEW_CAUSES)[number];
  @ApiPropertyOptional({
    type: 'array',
    items: { type: 'string', ...UUID },
    description: 'Which, where that is known.',
  })
  readonly tables?: readonly string[];
  @ApiPropertyOptional({ type: String, description: '`<connection id>:<schema>.<name>`' })
  readonly object?: string;
}

/** The view may show something else: read it again. For other databases and the time there are no numbers; `prev` is `seq` then. */
export class ViewInvalidatedEvent {
  /** `view:<id>` */
  readonly channel!: string;
  @ApiProperty({ ...UUID, description: 'Numbers count within it; another one means that they began anew.' })
  readonly epoch!: string;
  @ApiProperty(INTEGER)
  readonly seq!: number;
  @ApiProperty({ ...INTEGER, description: 'The number before this one: who has seen it has missed nothing.' })
  readonly prev!: number;
  @ApiProperty(TIME)
  readonly at!: string;
  @ApiProperty({ enum: [true] })
  readonly invalidated!: true;
  @ApiProperty({ type: () => ViewCause })
  readonly cause!: ViewCause;
}

/** The view was changed, or does not fit its sources any more. `control` reset follows where it may show something else now. */
export class ViewUpdateEvent {
  /** `view:<id>` */
  readonly channel!: string;
  @ApiProperty(TIME)
  readonly at!: string;
  readonly name!: string;
  @ApiProperty({ ...INTEGER, description: 'As `GET /api/v1/views/{viewId}` has it.' })
  readonly version!: number;
  @ApiProperty(UUID)
  readonly updatedBy!: string;
  @ApiPropertyOptional({ type: () => ProblemDto, description: 'Why it cannot be read any more.' })
  readonly problem?: ProblemBody;
}

/** What something is that happened to, and where it belongs. */
export class WorkspaceResource {
  @ApiProperty({ enum: ['workspace', 'member', 'base', 'table', 'column', 'view', 'connection', 'webhook'] })
  readonly type!: string;
  @ApiProperty(SOMEBODY)
  readonly id!: string | null;
  /** As it was called then; of a member, the person. */
  readonly name!: string;
  @ApiPropertyOptional({ ...UUID, description: 'Of a table.' })
  readonly baseId?: string;
  @ApiPropertyOptional({ ...UUID, description: 'Of a column.' })
  readonly tableId?: string;
}

/** What happened. */
export class WorkspaceChange {
  @ApiProperty({
    description: 'As the audit log names it; `view.hidden`: the view is private now, and somebody else’s.',
    example: 'table.created',
  })
  readonly action!: string;
  @ApiProperty({ type: () => WorkspaceResource })
  readonly resource!: WorkspaceResource;
  @ApiPropertyOptional({ enum: ROLES, description: 'Of a member: the role that he has now.' })
  readonly role?: string;
}

/** Something happened in a workspace, but to rows. Without `change` it was about the private view of somebody else. */
export class WorkspaceUpdateEvent {
  /** `workspace:<id>` */
  readonly channel!: string;
  @ApiProperty({ ...UUID, description: 'Numbers count within it; another one means that they began anew.' })
  readonly epoch!: string;
  @ApiProperty(INTEGER)
  readonly seq!: number;
  @ApiProperty({ ...INTEGER, description: 'The number before this one: who has seen it has missed nothing.' })
  readonly prev!: number;
  @ApiProperty(TIME)
  readonly at!: string;
  @ApiPropertyOptional({ type: () => LiveActor })
  readonly actor?: LiveActor;
  @ApiPropertyOptional({ type: () => WorkspaceChange })
  readonly change?: WorkspaceChange;
}

/** How far an import into the table is. Not of the numbered stream: it may be missed, and nothing is lost by that. */
export class ImportProgressEvent {
  /** `table:<id>` */
  readonly channel!: string;
  @ApiProperty({ ...UUID, description: 'Ask for more with `GET /api/v1/imports/{importId}`.' })
  readonly id!: string;
  @ApiProperty({ enum: ['running', 'done', 'failed', 'cancelled', 'interrupted'] })
  readonly state!: string;
  @ApiProperty({ ...INTEGER, description: 'Of the file.' })
  readonly bytes!: number;
  @ApiProperty({ ...INTEGER, description: 'Of them so many are read.' })
  readonly bytesRead!: number;
  @ApiProperty(INTEGER)
  readonly created!: number;
  @ApiProperty(INTEGER)
  readonly updated!: number;
  @ApiProperty(INTEGER)
  readonly unchanged!: number;
  @ApiProperty(INTEGER)
  readonly failed!: number;
}

/** What is told of an object of an external database begins with this. There are no numbers: what is missed is not told again. */
class ObjectEvent {
  /** `object:<connection id>:<schema>.<name>` */
  readonly channel!: string;
  @ApiProperty(TIME)
  readonly at!: string;
}

/** What is said of a change that was made through this API. */
class ObjectChangeEvent extends ObjectEvent {
  @ApiProperty({ enum: OBJECT_OPS })
  readonly op!: ObjectOp;
  @ApiProperty({ enum: ['api'] })
  readonly source!: 'api';
  @ApiProperty({ type: () => LiveActor })
  readonly actor!: LiveActor;
}

/** A row was inserted, updated or deleted. */
export class ObjectUpdateEvent extends ObjectChangeEvent {
  @ApiProperty({ ...FIELDS, description: 'All fields: as they are now, those of a deleted row as they were.' })
  readonly fields!: Readonly<Record<string, unknown>>;
}

/** The same of a row that is longer than 64 KiB: read again. */
export class ObjectInvalidatedEvent extends ObjectChangeEvent {
  @ApiProperty({ enum: [true] })
  readonly invalidated!: true;
}

/** Something changed that was not made through this API, or was told already: read again. */
export class ObjectPolledEvent extends ObjectEvent {
  @ApiProperty({ enum: ['changed'] })
  readonly op!: 'changed';
  @ApiProperty({ enum: ['poll'] })
  readonly source!: 'poll';
}

/** {@link DataUpdateEvent} in the list of changes, where it is whole whatever its size. */
export class DataChange extends DataUpdateEvent {
  @ApiProperty({ enum: ['data:update'] })
  readonly event!: 'data:update';
}

/** {@link SchemaUpdateEvent} in the list of changes. */
export class SchemaChange extends SchemaUpdateEvent {
  @ApiProperty({ enum: ['schema:update'] })
  readonly event!: 'schema:update';
  @ApiProperty({ ...FIELDS, description: 'What was done, by the name of the action; whatever its size.' })
  declare readonly change: Readonly<Record<string, unknown>>;
}

export type ChangeEvent = DataChange | SchemaChange;

/** Somebody came to the channel. */
export class UserJoinEvent extends PresentPerson {
  readonly channel!: string;
  @ApiProperty(TIME)
  readonly at!: string;
}

/** Somebody at the channel does something else now. */
export class UserCursorEvent extends PresentPerson {
  readonly channel!: string;
  @ApiProperty(TIME)
  readonly at!: string;
}

/** Somebody left the channel, or is not heard of any more. */
export class UserLeaveEvent {
  readonly channel!: string;
  @ApiProperty(UUID)
  readonly presenceId!: string;
  @ApiProperty({ type: () => PresentUser })
  readonly user!: PresentUser;
  @ApiProperty(TIME)
  readonly at!: string;
}

/** Somebody asks others to leave a cell to him, or does so no longer. */
export class CellLockEvent extends CellLock {
  /** `table:<id>` */
  readonly channel!: string;
  readonly locked!: boolean;
  @ApiProperty(TIME)
  readonly at!: string;
}

/** The replay is complete. */
export class UpToDateControl {
  @ApiProperty({ enum: ['up_to_date'] })
  readonly type!: 'up_to_date';
  readonly channel!: string;
  @ApiProperty(UUID)
  readonly epoch!: string;
  @ApiProperty(INTEGER)
  readonly seq!: number;
}

/** This subscription has ended: read the table again, then subscribe. */
export class ResetControl {
  @ApiProperty({ enum: ['reset'] })
  readonly type!: 'reset';
  readonly channel!: string;
  @ApiProperty({ enum: RESET_REASONS })
  readonly reason!: ResetReason;
  @ApiProperty(UUID)
  readonly epoch!: string;
  @ApiProperty(INTEGER)
  readonly seq!: number;
}

/** The right to read the channel ended: the subscription has ended, the socket stays. */
export class RevokedControl {
  @ApiProperty({ enum: ['revoked'] })
  readonly type!: 'revoked';
  readonly channel!: string;
}

/** The session or the token ended; the socket is closed right after this. */
export class EndedControl {
  @ApiProperty({ enum: ['revoked'] })
  readonly type!: 'revoked';
  @ApiProperty({ type: () => ProblemDto })
  readonly error!: ProblemBody;
}
