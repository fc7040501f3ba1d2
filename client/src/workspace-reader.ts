import type { CallOptions, AnswerOf, Operation } from './http.js';
import type { WorkspaceReader } from './live-workspace.js';

type Call = <O extends Operation>(operation: O, options: CallOptions<O>) => Promise<AnswerOf<O>>;

/** Items of one request. */
const PAGE = 200;

/** Reads a workspace over HTTP, lists to their end. */
export function workspaceReader(call: Call, workspaceId: string): WorkspaceReader {
  const path = { workspaceId };
  return {
    workspace: () => call('GET /workspaces/{workspaceId}', { path }),
    members: () => all((query) => call('GET /workspaces/{workspaceId}/members', { path, query })),
    bases: () => all((query) => call('GET /workspaces/{workspaceId}/bases', { path, query })),
    tables: (baseId) => all((query) => call('GET /bases/{baseId}/tables', { path: { baseId }, query })),
    views: () => all((query) => call('GET /workspaces/{workspaceId}/views', { path, query })),
    connections: () => all((query) => call('GET /workspaces/{workspaceId}/connections', { path, query })),
    table: (tableId) => call('GET /tables/{tableId}', { path: { tableId } }),
    view: (viewId) => call('GET /views/{viewId}', { path: { viewId } }),
    connection: (connectionId) => call('GET /connections/{connectionId}', { path: { connectionId } }),
  };
}

interface Page<T> {
  readonly data: readonly T[];
  readonly page: { readonly nextCursor?: string };
}

async function all<T>(read: (query: { limit: number; cursor?: string }) => Promise<Page<T>>): Promise<readonly T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const { data, page } = await read({ limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
    items.push(...data);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return items;
}
