import { beforeAll, describe, expect, it } from '@jest/globals';
import { must } from '../../src/common/index.js';
import {
  expectStatus,
  sql,
  startApp,
  world,
  type ProblemBody,
  type Table,
  type TestApp,
  type World,
} from '../harness/index.js';

interface Named {
  readonly id: string;
  readonly name: string;
  readonly physical: { readonly schema: string; readonly table: string };
}

/** Kept exactly as they are, but for the normal form. */
const KEPT: readonly string[] = [
  '\u{1F600}'.repeat(63), '👩‍👩‍👧‍👦', '🏳️‍🌈', '\u202Eright to left\u202C', 'שלום', 'مرحبا بالعالم', 'e\u0301', 'Z\u0351\u036B\u0343algo\u0315', '\u200Dx', 'a\u00A0b',
  'x'.repeat(255), 'é'.repeat(255), '\u{1F600}'.repeat(255), '日本語の名前', 'Straße', 'İstanbul', 'ﬁ', '½', '"', "'", "'; drop table x; --", '"); delete from x; --', '\\', '%s', '$1', '$$', '--', '/* */',
  '_id', '_version', '_old_name_abc123', '_stream', 'id', 'ctid', 'tableoid', 'constructor', '__proto__', 'prototype', 'toString', 'hasOwnProperty', 'select', 'TABLE', 'user', 'null', 'true',
  '...', '???', '0', '007', '-1', '1e5', '___', 'a.b', 'a/b', 'a~b', 'a,b', '<b>x</b>', '{{x}}', '${x}', 'a  b', 'pg_class', 'public', 'information_schema',
]; // prettier-ignore

/** Trimmed, as what is around a name is no part of it. */
const TRIMMED = ['  padded  ', '\u00A0nbsp\u00A0', '\uFEFFmark', '\u3000wide\u3000'];

const REFUSED: readonly unknown[] = [
  '', ' ', '\u3000', 'x'.repeat(256), '\u{1F600}'.repeat(256), 'a\nb', 'a\tb', 'nul\0', '\u0007', '\u0085', '\ud800', 'x\udc00', 7, null, true, {}, ['a'],
]; // prettier-ignore

/** Each pair is one name to whoever reads it. */
const SAME = [
  ['Straße', 'STRAßE'],
  ['ｂｉｇ', 'big'],
  ['é', 'e\u0301'],
  ['ﬁn', 'fin'],
  ['ÀB', 'àb'],
  [' x', 'x '],
] as const;

const KEY = /^[a-z][a-z0-9_]{0,47}$/;
const expected = (name: string): string => name.normalize('NFC').trim();

let app: TestApp;
let at: World;
beforeAll(async () => {
  app = await startApp();
  at = await world(app.base);
}, 60_000);

const comment = async (query: string, ...values: readonly string[]) =>
  (await sql<{ comment: string }>(app.config.miniDb, `select ${query} as comment`, values))[0]?.comment;
const newBase = async (name: unknown) => at.owner.post<Named>(`/workspaces/${at.workspace.id}/bases`, { name });
const names = [...KEPT, ...TRIMMED];
const columnsOf = (list: readonly unknown[]) => list.map((name) => ({ name, type: 'text' }));

describe('a name', () => {
  it('of a base comes back as it was given, and PostgreSQL has it as a comment, also after a renaming', async () => {
    const renamed = expectStatus(await newBase('to be renamed'), 201);
    for (const name of names) {
      const base = expectStatus(await newBase(name), 201);
      expect((await at.owner.get<Named>(`/bases/${base.id}`)).body.name).toBe(expected(name));
      expect(base.physical.schema).toMatch(/^(?!pg_)[a-z][a-z0-9_]{0,62}$/);
      const shown = (schema: string) => comment('obj_description($1::regnamespace)', schema);
      expect(await shown(base.physical.schema)).toBe(expected(name));
      expectStatus(await at.owner.del(`/bases/${base.id}`), 204);
      const again = expectStatus(await at.owner.patch<Named>(`/bases/${renamed.id}`, { name }), 200);
      expect(again.name).toBe(expected(name));
      expect(await shown(renamed.physical.schema)).toBe(expected(name));
    }
  }, 120_000);

  it('of a table or column comes back as it was given, under a key that every tool can write, and is a comment in PostgreSQL', async () => {
    const base = expectStatus(await newBase('names of tables'), 201);
    const made = await at.owner.post<Table>(`/bases/${base.id}/tables`, { name: 'All', columns: columnsOf(names) });
    const table = expectStatus(made, 201);
    expect(table.columns.map(({ name }) => name)).toEqual(names.map(expected));
    const keys = table.columns.map(({ key }) => key);
    for (const key of keys) expect(key).toMatch(KEY);
    expect(new Set(keys).size).toBe(keys.length);
    const physical = `"${table.physical.schema}"."${table.physical.table}"`;
    const comments = await sql<{ key: string; name: string }>(
      app.config.miniDb,
      `select attname as key, col_description(attrelid, attnum) as name from pg_attribute where attrelid = $1::regclass and attnum > 7 order by attnum`,
      [physical],
    );
    expect(comments).toEqual(table.columns.map(({ key, name }) => ({ key, name })));
    const fields = Object.fromEntries(keys.map((key, i) => [key, names[i]?.normalize('NFC')]));
    const row = await at.owner.post<{ fields: object }>(`/tables/${table.id}/rows`, { fields });
    expect(expectStatus(row, 201).fields).toEqual(fields);

    const column = must(table.columns[0], 'the table has columns');
    expectStatus(await at.owner.del(`/tables/${table.id}/columns/${column.id}`), 204);
    expectStatus(await at.owner.post(`/tables/${table.id}/columns/${column.id}/restore`, {}), 200);
    const again = await at.owner.get<Table>(`/tables/${table.id}`);
    expect(again.body.columns.find(({ id }) => id === column.id)).toEqual(column);

    for (const name of names) {
      const renamed = expectStatus(await at.owner.patch<Table>(`/tables/${table.id}`, { name }), 200);
      expect([renamed.name, renamed.key]).toEqual([expected(name), table.key]);
      expect(await comment(`obj_description($1::regclass, 'pg_class')`, physical)).toBe(expected(name));
    }
  }, 120_000);

  it('of a choice comes back as it was given, under a key of its own', async () => {
    const base = expectStatus(await newBase('names of choices'), 201);
    const choices = names.map((label) => ({ label }));
    const columns = [{ name: 'S', type: 'single_select', options: { choices } }];
    const table = expectStatus(await at.owner.post<Table>(`/bases/${base.id}/tables`, { name: 'T', columns }), 201);
    const kept = table.columns[0]?.options.choices as readonly { key: string; label: string }[];
    expect(kept.map(({ label }) => label)).toEqual(names.map(expected));
    expect(new Set(kept.map(({ key }) => key)).size).toBe(kept.length);
    for (const { key, label } of kept) {
      expect(key).toMatch(KEY);
      const row = await at.owner.post<{ fields: object }>(`/tables/${table.id}/rows`, { fields: { s: label } });
      expect(expectStatus(row, 201).fields).toEqual({ s: key });
    }
  }, 120_000);

  it('that is none is refused wherever one is given', async () => {
    const base = expectStatus(await newBase('refusals'), 201);
    const table = expectStatus(await at.owner.post<Table>(`/bases/${base.id}/tables`, { name: 'T' }), 201);
    const places: readonly [method: string, path: string, body: (name: unknown) => object][] = [
      ['POST', `/workspaces/${at.workspace.id}/bases`, (name) => ({ name })],
      ['PATCH', `/bases/${base.id}`, (name) => ({ name })],
      ['POST', `/bases/${base.id}/tables`, (name) => ({ name })],
      ['PATCH', `/tables/${table.id}`, (name) => ({ name })],
      ['POST', `/bases/${base.id}/tables`, (name) => ({ name: 'x', columns: columnsOf([name]) })],
      ['POST', `/tables/${table.id}/columns`, (name) => ({ name, type: 'text' })],
      [
        'POST',
        `/tables/${table.id}/columns`,
        (label) => ({ name: 'x', type: 'single_select', options: { choices: [{ label }] } }),
      ],
    ];
    for (const [method, path, body] of places)
      for (const name of REFUSED) {
        const answer = await at.owner.call<ProblemBody>(method, path, body(name));
        expect([path, name, answer.status, answer.body.code]).toEqual([path, name, 422, 'validation_failed']);
      }
    expect((await at.owner.get(`/tables/${table.id}`)).body).toEqual(table);
  }, 60_000);

  it('is taken for whoever writes it in another case or form', async () => {
    for (const [one, two] of SAME) {
      const base = expectStatus(await newBase(one), 201);
      expect((await newBase(two)).body).toMatchObject({ code: 'name_taken' });
      const tables = `/bases/${base.id}/tables`;
      const table = expectStatus(await at.owner.post<Table>(tables, { name: one, columns: columnsOf([one]) }), 201);
      expect((await at.owner.post(tables, { name: two })).body).toMatchObject({ code: 'name_taken' });
      const column = await at.owner.post(`/tables/${table.id}/columns`, { name: two, type: 'text' });
      expect(column.body).toMatchObject({ code: 'name_taken' });
      const options = { choices: [{ label: one }, { label: two }] };
      const select = await at.owner.post(`/tables/${table.id}/columns`, { name: 'S', type: 'single_select', options });
      expect(select.body).toMatchObject({ errors: [{ code: 'duplicate_choice' }] });
      expectStatus(await at.owner.del(`/bases/${base.id}`), 204);
    }
  }, 60_000);
});
