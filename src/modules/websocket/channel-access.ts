import { Injectable } from '@nestjs/common';
import {
  notFound,
  Problem,
  unreachable,
  type Access,
  type Caller,
  type Id,
  type Permission,
} from '../../common/index.js';
import { ChangeLog, SchemaMoved } from '../../engines/index.js';
import type { TableSchema } from '../../query/index.js';
import { ConnectionCatalog, ConnectionSchemas } from '../connections/index.js';
import { Fence, TableCatalog } from '../tables/index.js';
import { LiveViews, ViewCatalog } from '../views/index.js';
import { AccessService } from '../workspaces/index.js';
import type { Target } from './messages/index.js';

/** A table that a caller may follow, and where its log is. */
export interface FollowedTable {
  readonly id: Id;
  readonly workspaceId: Id;
  readonly schema: string;
  /** Names what the caller sees of it, where that is not all. */
  readonly sight?: string;
  /** What the caller sees of it. */
  readonly asSeen: () => Promise<TableSchema>;
}

/** What it takes to follow a table: what it takes to read it. */
export const TO_FOLLOW: Permission = 'rows:read';
export const TO_FOLLOW_VIEW: Permission = 'views:read';
export const TO_FOLLOW_WORKSPACE: Permission = 'workspace:read';
/** And an object of an external database. */
export const TO_FOLLOW_OBJECT: Permission = 'external:read';

/** To ask others to leave a cell to oneself. */
export const TO_LOCK: Permission = 'rows:write';

/** Who may follow what: everybody who may read it. */
@Injectable()
export class ChannelAccess {
  constructor(
    private readonly catalog: TableCatalog,
    private readonly connections: ConnectionCatalog,
    private readonly schemas: ConnectionSchemas,
    private readonly views: ViewCatalog,
    private readonly liveViews: LiveViews,
    private readonly access: AccessService,
    private readonly log: ChangeLog,
    private readonly fence: Fence,
  ) {}

  /**
   * The table, if the caller may read it, from memory. Throws the same 404 for what does not exist and for what he may not see.
   */
  async table(caller: Caller, tableId: Id): Promise<FollowedTable> {
    const { id, workspaceId, schema, seen } = await this.catalog.find(tableId);
    const access = await this.access.require(caller, workspaceId, TO_FOLLOW, 'table');
    const sight = seen.sightOf(id, access);
    const asSeen = async (): Promise<TableSchema> => (await this.catalog.find(id)).seen.of(id, access);
    return { id, workspaceId, schema, asSeen, ...(sight === undefined ? {} : { sight }) };
  }

  /** The same for somebody who comes in: what this node knows of the table is asked for anew where its log says that it is out of date. */
  async tableNow(caller: Caller, tableId: Id): Promise<FollowedTable> {
    const { tableSchema, schema } = await this.catalog.find(tableId);
    const [head] = await this.log.heads(schema, [tableId]);
    if (head && head.schemaVersion !== tableSchema.schemaVersion) await this.catalog.reload(tableId);
    return this.table(caller, tableId);
  }

  /** Whether rules may have to do with what anybody sees of the table. */
  async hasRules(tableId: Id): Promise<boolean> {
    return (await this.catalog.find(tableId)).seen.hasRules;
  }

  /** The structure of the table is another: what this node knows of it is read anew. */
  async renewed(tableId: Id): Promise<void> {
    await this.catalog.reload(tableId).catch((error: unknown) => {
      // One that is gone is found missing by whoever asks for it.
      if (!(error instanceof Problem)) throw error;
    });
  }

  /**
   * Asks something of a table as somebody sees it who sees part of it, by the rules that are in force: where another node has changed them, it is
   * asked again. @returns undefined where he sees all. @throws Problem as {@link table}; `schema_busy`
   */
  async askAsSeen<T>(
    caller: Caller,
    tableId: Id,
    ask: (seen: TableSchema, sight: string) => Promise<T>,
  ): Promise<T | undefined> {
    return this.fence.runOver([tableId], async () => {
      const { sight, asSeen } = await this.table(caller, tableId);
      if (sight === undefined) return undefined;
      const answer = await ask(await asSeen(), sight);
      if (await this.catalog.isOutdated(tableId)) throw new SchemaMoved();
      return answer;
    });
  }

  /** The right to change rows of a table, as far as the role is concerned. Throws the same 404 for what does not exist and for what he may not see. */
  async mayEdit(caller: Caller, tableId: Id): Promise<void> {
    const { workspaceId } = await this.table(caller, tableId);
    await this.access.require(caller, workspaceId, TO_LOCK, 'table');
  }

  /** Names what the caller sees of the table, or of the tables of the view, that a channel is of, where that is not all. Throws as the others do. */
  async sight(caller: Caller, target: Target): Promise<string | undefined> {
    if (target.kind === 'table') return (await this.table(caller, target.tableId)).sight;
    if (target.kind !== 'view') return undefined;
    return this.liveViews.sightOf(await this.view(caller, target.viewId), target.viewId);
  }

  /** The right to read the view. Throws the same 404 for what does not exist and for what he may not see. */
  async view(caller: Caller, viewId: Id): Promise<Access> {
    const workspaceId = await this.views.workspaceOf(viewId, caller.principal.userId);
    if (workspaceId === undefined) throw notFound('view');
    return this.access.require(caller, workspaceId, TO_FOLLOW_VIEW, 'view');
  }

  /** Whoever is a member. Throws the same 404 for what does not exist and for what he may not see. */
  async workspace(caller: Caller, workspaceId: Id): Promise<void> {
    await this.access.require(caller, workspaceId, TO_FOLLOW_WORKSPACE, 'workspace');
  }

  /** Whether the caller may follow what a channel is about. Throws as the others do. */
  async mayFollow(caller: Caller, target: Target): Promise<void> {
    switch (target.kind) {
      case 'table':
        await this.table(caller, target.tableId);
        return;
      case 'workspace':
        return this.workspace(caller, target.workspaceId);
      case 'view':
        await this.view(caller, target.viewId);
        return;
      case 'object':
        await this.object(caller, target.connectionId, target.object);
        return;
      default:
        return unreachable(target);
    }
  }

  /**
   * The workspace of the object, if the caller may read it. Throws the same 404 for what does not exist and for what he may not see; the
   * problems of the database when nobody has looked yet what is in it.
   */
  async object(caller: Caller, connectionId: Id, object: string): Promise<Id> {
    const workspaceId = await this.objectsOf(caller, connectionId);
    if (!(await this.schemas.knows(workspaceId, connectionId, object))) throw notFound('object');
    return workspaceId;
  }

  /** The workspace of the connection, if the caller may read its objects. Throws as {@link object}; its database is not asked. */
  async objectsOf(caller: Caller, connectionId: Id): Promise<Id> {
    const workspaceId = await this.connections.workspaceOf(connectionId);
    if (workspaceId === undefined) throw notFound('object');
    await this.access.require(caller, workspaceId, TO_FOLLOW_OBJECT, 'object');
    return workspaceId;
  }
}
