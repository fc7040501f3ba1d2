import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { projectRoot } from '../../src/config/index.js';
import { databases, expectStatus, startApp, world, type Table, type World } from '../harness/index.js';

interface Operation {
  readonly requestBody: {
    readonly content: {
      readonly 'application/json': { readonly examples: Readonly<Record<string, { readonly value: object }>> };
    };
  };
}
const { paths } = JSON.parse(readFileSync(path.join(projectRoot, 'docs/openapi.json'), 'utf8')) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
};

let at: World;
beforeAll(async () => {
  at = await world((await startApp({ databases: await databases() })).base);
}, 60_000);

describe('the example bodies of the documentation', () => {
  it.each([
    ['post', '/api/v1/workspaces/{workspaceId}/bases/from-template', 201],
    ['post', '/api/v1/tables/{tableId}/indexes', 202],
    ['patch', '/api/v1/tables/{tableId}/columns/{columnId}', 200],
  ])('of %s %s are accepted as they are', async (method, route, status) => {
    const table = expectStatus(
      await at.owner.post<Table>(`/bases/${at.base.id}/tables`, {
        name: route,
        columns: [
          { name: 'Name', type: 'text' },
          { name: 'Due', type: 'date' },
          { name: 'Price', type: 'decimal', default: '1.50', options: { scale: 2 } },
        ],
      }),
      201,
    );
    const ids: Readonly<Record<string, string | undefined>> = {
      workspaceId: at.workspace.id,
      tableId: table.id,
      columnId: table.columns[2]?.id,
    };
    const filled = route.slice('/api/v1'.length).replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? '');
    const bodies = Object.values(paths[route]?.[method]?.requestBody.content['application/json'].examples ?? {});
    expect(bodies.length).toBeGreaterThan(1);
    for (const { value } of bodies) expectStatus(await at.owner.call(method.toUpperCase(), filled, value), status);
  });
});
