import type { Id } from '../../common/index.js';
import type { AccessService } from '../workspaces/index.js';
import type { Connection, Subscription } from './connection.js';

/** Ends what people follow in workspaces that they are no members of any more; one query for all of it. Rejects when nobody can tell. */
export async function endLostMemberships(
  access: AccessService,
  connections: readonly Connection[],
  revoke: (connection: Connection, subscription: Subscription) => void,
): Promise<void> {
  const followed = followedBy(connections);
  if (followed.length === 0) return;
  const held = await access.memberships(
    distinct(followed.map(({ connection }) => connection.principal.userId)),
    distinct(followed.map(({ subscription }) => subscription.workspaceId)),
  );
  const keys = new Set(held.map(({ userId, workspaceId }) => `${userId} ${workspaceId}`));
  for (const { connection, subscription } of followed) {
    const key = `${connection.principal.userId} ${subscription.workspaceId}`;
    if (!keys.has(key)) revoke(connection, subscription);
  }
}

/** Each connection as often as it follows something. */
export const followedBy = (connections: readonly Connection[]) =>
  connections.flatMap((connection) =>
    [...connection.subscriptions.values()].map((subscription) => ({ connection, subscription })),
  );

export const distinct = (ids: readonly Id[]): Id[] => [...new Set(ids)];
