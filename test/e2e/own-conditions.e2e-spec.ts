import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  databases,
  expectStatus,
  sql,
  startApp,
  world,
  type ProblemBody,
  type Row,
  type Table,
  type TestApp,
  type TestDatabases,
  type World,
} from '../harness/index.js';

let pair: TestDatabases;
let app: TestApp;
let at: World;
beforeAll(async () => {
  pair = await databases();
  app = await startApp({ databases: pair });
  at = await world(app.base);
}, 60_000);

/** What an operator may put upon a table so that it takes no row of the name `bad`. */
const OWN: Readonly<Record<string, (table: string) => string>> = {
  'a condition': (table) => `alter table ${table} add constraint house_rule check (name <> 'bad')`,
  'a foreign key': (table) => `
    create table ${table.replace(/"$/, '_names"')} (name text primary key);
    insert into ${table.replace(/"$/, '_names"')} select 'good ' || i from generate_series(0, 99) i;
    alter table ${table} add constraint house_rule foreign key (name) references ${table.replace(/"$/, '_names"')}`,
  'a trigger that raises': (table) => `
    create function public.house_rule() returns trigger language plpgsql as
      $$ begin if new.name = 'bad' then raise exception 'a word of the house'; end if; return new; end $$;
    create trigger house_rule before insert or update on ${table} for each row execute function public.house_rule()`,
};

interface Bulk {
  readonly results: readonly { readonly status: number }[];
}

const countOf = async (path: string): Promise<number | undefined> =>
  expectStatus(await at.owner.get<{ count?: { value: number } }>(`${path}?count=exact&limit=1`), 200).count?.value;

describe("an operator's own conditions upon a table", () => {
  it.each(Object.keys(OWN))(
    'refuse what they refuse, of those who write at once nobody else, and not as a fault: %s',
    async (what) => {
      const made = await at.owner.post<Table>(`/bases/${at.base.id}/tables`, {
        name: `Under ${what}`,
        columns: [{ name: 'Name', type: 'text' }],
      });
      const { id, physical } = expectStatus(made, 201);
      await sql(pair.mini, (OWN[what] ?? String)(`"${physical.schema}"."${physical.table}"`));
      const path = `/tables/${id}/rows`;
      const names = Array.from({ length: 40 }, (_, i) => (i % 10 === 5 ? 'bad' : `good ${i}`));
      const answers = await Promise.all(names.map((name) => at.owner.post<Row>(path, { fields: { name } })));
      expect(answers.map(({ status }) => status)).toEqual(names.map((name) => (name === 'bad' ? 422 : 201)));

      const good = answers[0]?.body.id;
      const refused = [answers[5], await at.owner.patch(`${path}/${good}`, { fields: { name: 'bad' } })];
      for (const answer of refused) {
        expect(answer).toMatchObject({ status: 422, body: { code: 'validation_failed' } });
        expect(answer?.text).toContain('put upon the table in the database');
        expect(answer?.text).not.toMatch(/house/);
      }

      const ops = names.map((name) => ({ op: 'create', fields: { name } }));
      const bad = names.flatMap((name, i) => (name === 'bad' ? [i] : []));
      const atomic = await at.owner.post<ProblemBody>(`${path}/bulk`, { mode: 'atomic', ops });
      expect(atomic).toMatchObject({ status: 422, body: { code: 'bulk_failed' } });
      expect(atomic.body.errors?.map(({ pointer, code }) => `${pointer} ${code}`)).toEqual(
        bad.map((i) => `/ops/${i}/fields refused_by_database`),
      );
      expect(await countOf(path)).toBe(36);

      const partial = await at.owner.post<Bulk>(`${path}/bulk`, { mode: 'partial', ops });
      expect(partial).toMatchObject({ status: 200, body: { summary: { total: 40, ok: 36, failed: 4 } } });
      expect(partial.body.results.map(({ status }) => status)).toEqual(
        names.map((name) => (name === 'bad' ? 422 : 201)),
      );
      expect(await countOf(path)).toBe(72);
    },
  );

  it('refuse in a call that links rows what they refuse, and nothing else', async () => {
    const made = await at.owner.post<Table>(`/bases/${at.base.id}/tables`, {
      name: 'Linked',
      columns: [{ name: 'Name', type: 'text' }],
    });
    const { id, physical } = expectStatus(made, 201);
    const link = { name: 'Parent', type: 'link', options: { tableId: id } };
    expectStatus(await at.owner.post(`/tables/${id}/columns`, link), 201);
    await sql(pair.mini, `alter table "${physical.schema}"."${physical.table}" add check (name <> 'bad')`);
    const path = `/tables/${id}/rows`;
    const parent = [expectStatus(await at.owner.post<Row>(path, { fields: { name: 'parent' } }), 201).id];
    const ops = [
      { op: 'create', fields: { name: 'a', parent } },
      { op: 'update', id: parent[0], fields: { name: 'bad' } },
      { op: 'create', fields: { name: 'bad', parent } },
      { op: 'create', fields: { name: 'b', parent: [randomUUID()] } },
      { op: 'create', fields: { name: 'c', parent } },
    ];
    const partial = await at.owner.post<Bulk>(`${path}/bulk`, { mode: 'partial', ops });
    expect(partial.body.results.map(({ status }) => status)).toEqual([201, 422, 422, 422, 201]);
    expect(await countOf(path)).toBe(3);
  });
});
