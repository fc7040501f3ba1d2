import { Injectable } from '@nestjs/common';
import type { Caller, Id, Permission } from '../../common/index.js';
import { TableCatalog } from '../tables/index.js';
import { AccessService } from '../workspaces/index.js';

/** A table that a caller may follow, and where its log is. */
export interface FollowedTable {
  readonly id: Id;
  readonly workspaceId: Id;
  readonly schema: string;
}

/** What it takes to follow a table: what it takes to read it. */
export const TO_FOLLOW: Permission = 'rows:read';

/** Who may follow what: everybody who may read it. */
@Injectable()
export class ChannelAccess {
  constructor(
    private readonly catalog: TableCatalog,
    private readonly access: AccessService,
  ) {}

  /** The table, if the caller may read it. Throws the same 404 for what does not exist and for what he may not see. */
  async table(caller: Caller, tableId: Id): Promise<FollowedTable> {
    const { id, workspaceId, schema } = await this.catalog.find(tableId);
    await this.access.require(caller, workspaceId, TO_FOLLOW, 'table');
    return { id, workspaceId, schema };
  }
}
