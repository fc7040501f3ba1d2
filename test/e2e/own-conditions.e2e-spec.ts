import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  databases,
  expectStatus,
  sql,
  startApp,
  world,
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
      const refused = [
        answers[5],
        await at.owner.patch(`${path}/${good}`, { fields: { name: 'bad' } }),
        await at.owner.post(`${path}/bulk`, { mode: 'atomic', ops: [{ op: 'create', fields: { name: 'bad' } }] }),
      ];
      for (const answer of refused) {
        expect(answer).toMatchObject({ status: 422, body: { code: 'validation_failed' } });
        expect(answer?.text).toContain('put upon the table in the database');
        expect(answer?.text).not.toMatch(/house/);
      }
    },
  );
});
