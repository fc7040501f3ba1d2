import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { projectRoot } from '../../src/config/index.js';
import { databases, expectStatus, startApp, waitFor, world, type Table, type World } from '../harness/index.js';

interface Body {
  readonly content: {
    readonly 'application/json': { readonly examples: Readonly<Record<string, { readonly value: object }>> };
  };
}
interface Operation {
  readonly requestBody: Body;
  readonly responses: Readonly<Record<string, Body>>;
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

/** The names and the kinds of all that is in it; of a list, of its first item. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])];
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, each]) => [key, shapeOf(each)] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

describe('the example answers of a conversion', () => {
  const route = '/api/v1/tables/{tableId}/columns/{columnId}/convert';
  const example = (at: string, method: string, status: number, name: string): object | undefined =>
    paths[at]?.[method]?.responses[String(status)]?.content['application/json'].examples[name]?.value;

  it('look like the real ones, at once and in the background', async () => {
    const app = await startApp({ databases: await databases(), env: { CONVERSION_BACKGROUND_ROWS: '4' } });
    const { owner, base } = await world(app.base);
    const [first, second] = await Promise.all(
      ['Orders', 'More orders'].map(async (name) => {
        const columns = [{ name: 'Price', type: 'text' }];
        return expectStatus(await owner.post<Table>(`/bases/${base.id}/tables`, { name, columns }), 201);
      }),
    );
    if (!first || !second) throw new Error('two tables');
    const fill = async ({ id }: Table, prices: readonly (string | null)[]) => {
      const ops = prices.map((price) => ({ op: 'create', fields: { price } }));
      expectStatus(await owner.post(`/tables/${id}/rows/bulk`, { ops }), 200);
    };
    await fill(first, ['1', '2.50', 'abc', null]);
    await fill(second, ['1', '2', '3', '4', 'abc']);
    const link = expectStatus(
      await owner.post<{ id: string; options: { inverseColumnId: string } }>(`/tables/${first.id}/columns`, {
        name: 'More',
        type: 'link',
        options: { tableId: second.id },
      }),
      201,
    );
    const options = { linkColumnId: link.options.inverseColumnId, columnId: first.columns[0]?.id };
    expectStatus(await owner.post(`/tables/${second.id}/columns`, { name: 'Prices', type: 'lookup', options }), 201);

    const pathOf = (table: Table) => `/tables/${table.id}/columns/${table.columns[0]?.id}`;
    const bodies = paths[route]?.post?.requestBody.content['application/json'].examples;
    const dryRun = await owner.post<{ confirmToken: string }>(`${pathOf(first)}/convert`, bodies?.dryRun?.value);
    const { confirmToken } = expectStatus(dryRun, 200);
    expect(shapeOf(dryRun.body)).toEqual(shapeOf(example(route, 'post', 200, 'dryRun')));
    const confirm = (token: string) => ({ ...bodies?.confirm?.value, confirmToken: token });
    const converted = await owner.post(`${pathOf(first)}/convert`, confirm(confirmToken));
    expectStatus(converted, 200);
    expect(shapeOf(converted.body)).toEqual(shapeOf(example(route, 'post', 200, 'converted')));

    const again = await owner.post<{ confirmToken: string }>(`${pathOf(second)}/convert`, bodies?.dryRun?.value);
    const begun = await owner.post(`${pathOf(second)}/convert`, confirm(expectStatus(again, 200).confirmToken));
    expectStatus(begun, 202);
    expect(shapeOf(begun.body)).toEqual(shapeOf(example(route, 'post', 202, 'begun')));
    const progress = route.replace(/convert$/, 'conversion');
    let done: { state?: string } = {};
    await waitFor(async () => {
      done = expectStatus(await owner.get<{ state: string }>(`${pathOf(second)}/conversion`), 200);
      return done.state === 'done';
    }, 20_000);
    expect(shapeOf(done)).toEqual(shapeOf(example(progress, 'get', 200, 'done')));
  }, 60_000);
});
