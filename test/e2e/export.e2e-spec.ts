import { describe, expect, it, jest } from '@jest/globals';
import { JwtService } from '@nestjs/jwt';
import { must } from '../../src/common/index.js';
import { client, expectStatus, member, sql, waitFor, type Person, type Row, type Table } from '../harness/index.js';
import { path, refusal, rowsFixture } from '../support/rows.js';

jest.setTimeout(60_000);

const fixture = rowsFixture();
const { newTable, add } = fixture;
const exported = (table: Table, query = '') => fixture.owner.get<string>(`/tables/${table.id}/export?${query}`);
const linesOf = (text: string): string[] => text.split('\r\n');
/** Connections that are inside a transaction of their own: exports under way. */
const cursors = async (): Promise<number> => {
  const [row] = await sql<{ n: string }>(
    fixture.app.config.miniDb,
    `select count(*) as n from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'`,
  );
  return Number(row?.n);
};

async function fill(table: Table, rows: number): Promise<void> {
  for (let at = 0; at < rows; at += 1_000) {
    const ops = Array.from({ length: Math.min(1_000, rows - at) }, (_, i) => ({
      op: 'create',
      fields: { name: `row ${at + i} ${'x'.repeat(400)}` },
    }));
    expectStatus(await fixture.bulk(table, ops), 200);
  }
}

describe('an export as CSV', () => {
  it('has the keys of the columns, then a line for each row, each with its end', async () => {
    const table = await newTable();
    await add(table, { name: 'Acme', amount: '1200.50', qty: 3, active: true, due: '2026-03-01', status: 'Won' });
    await add(table, { name: 'Globex', seen: '2026-03-01T10:00:00.123Z' });
    const answer = await exported(table);
    expectStatus(answer, 200);
    expect(linesOf(answer.text)).toEqual([
      'name,amount,qty,active,due,seen,notes,status,code',
      'Acme,1200.50,3,true,2026-03-01,,,won,',
      'Globex,,,,,2026-03-01T10:00:00.123Z,,,',
      '',
    ]);
    expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it('quotes what needs it, tells an empty text from none, and makes formulas harmless', async () => {
    const table = await newTable([
      { name: 'T', type: 'long_text' },
      { name: 'N', type: 'integer' },
    ]);
    const texts = ['a,b', 'say "hi"', 'two\nlines', '', null, '=1+1', "'=1", '@x', '-5', '\tx', "it's", ' pad ', '+1'];
    for (const t of texts) expectStatus(await fixture.owner.post(path(table), { fields: { t, n: -5 } }), 201);
    const { text } = await exported(table);
    expect(text.split('\r\n').slice(1, -1)).toEqual([
      '"a,b",-5', '"say ""hi""",-5', '"two\nlines",-5', '"",-5', ',-5', `"'=1+1",-5`, `"''=1",-5`, `"'@x",-5`,
      `"'-5",-5`, `"'\tx",-5`, "it's,-5", '" pad ",-5', `"'+1",-5`,
    ]); // prettier-ignore
  });

  it('writes lists as JSON lists and nothing for empty ones', async () => {
    const choices = [{ label: 'Red' }, { label: 'Blue' }];
    const table = await newTable([
      { name: 'Tags', type: 'multi_select', options: { choices } },
      { name: 'J', type: 'json' },
    ]);
    const rows = [
      { tags: ['Red', 'Blue'], j: { a: 'x,y' } },
      { tags: [], j: -1 },
    ];
    for (const fields of rows) expectStatus(await fixture.owner.post(path(table), { fields }), 201);
    const { text } = await exported(table);
    expect(linesOf(text).slice(1, 3)).toEqual(['"[""red"",""blue""]","{""a"": ""x,y""}"', ',"-1"']);
  });

  it('is filtered, sorted and cut to the asked columns like a list of rows', async () => {
    const table = await newTable();
    for (const [name, qty] of [['a', 1], ['b', 2], ['c', 3]] as const) await add(table, { name, qty }); // prettier-ignore
    const { text } = await exported(table, 'filter=qty.gte.2&sort=-qty&fields=qty,name&header=names&bom=true');
    expect(new TextEncoder().encode(text).length).toBe('Name,Qty\r\nc,3\r\nb,2\r\n'.length);
    const bytes = await fetch(`${fixture.app.base}/api/v1/tables/${table.id}/export?bom=true`, {
      headers: { authorization: `Bearer ${fixture.owner.token ?? ''}` },
    });
    expect([...new Uint8Array(await bytes.arrayBuffer()).slice(0, 3)]).toEqual([0xef, 0xbb, 0xbf]);
  });

  it('is searched like a list, and takes days as the zone has them', async () => {
    const table = await newTable();
    await add(table, { name: 'Acme', seen: '2026-03-01T23:30:00Z' });
    await add(table, { name: 'Globex', seen: '2026-03-01T12:00:00Z' });
    const names = async (query: string): Promise<string[]> => {
      const { status, text } = await exported(table, `fields=name&${query}`);
      expect(status).toBe(200);
      return linesOf(text).slice(1, -1);
    };
    expect(await names('search=acm')).toEqual(['Acme']);
    expect(await names('filter=seen.on.2026-03-02&tz=Europe/Berlin')).toEqual(['Acme']);
    expect(await names('filter=seen.on.2026-03-01')).toEqual(['Acme', 'Globex']);
    expect(refusal(await exported(table, 'tz=Atlantis/Centre')).slice(0, 2)).toEqual([422, 'validation_failed']);
  });

  it('has a header and nothing else where there are no rows', async () => {
    expect((await exported(await newTable(), 'fields=name')).text).toBe('name\r\n');
    expect((await exported(await newTable(), 'format=ndjson')).text).toBe('');
  });

  it('bears the name of the table, in letters of any script', async () => {
    const table = await newTable();
    expectStatus(await fixture.owner.patch(`/tables/${table.id}`, { name: 'Städte "2026" / Œuvre' }), 200);
    expect((await exported(table)).headers.get('content-disposition')).toBe(
      `attachment; filename="St_dte _2026_ _ _uvre.csv"; filename*=UTF-8''St%C3%A4dte%20%222026%22%20_%20%C5%92uvre.csv`,
    );
  });
});

describe('an export as NDJSON', () => {
  it('has on each line the row as a list would show it', async () => {
    const table = await newTable();
    for (const name of ['a', 'b\nc']) await add(table, { name });
    const { text } = await exported(table, 'format=ndjson');
    const lines = text.trimEnd().split('\n').map((line) => JSON.parse(line) as Row); // prettier-ignore
    expect(lines).toEqual((await fixture.list(table)).data);
  });
});

interface Members {
  readonly data: readonly { readonly id: string; readonly user: { readonly id: string } }[];
}

/** The same token, which ends in so many seconds. */
function shortened(token: string, expiresIn: number): string {
  const jwt = fixture.app.app.get(JwtService, { strict: false });
  const { iat, exp, iss, aud, ...claims } = jwt.decode<Record<string, unknown>>(token);
  expect([iat, exp, iss, aud]).not.toContain(undefined);
  return jwt.sign(claims, { expiresIn });
}

async function rest(body: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  while (!(await body.read()).done);
}

describe('a large export', () => {
  it('is what the table was when it began, whatever is written meanwhile', async () => {
    const table = await newTable();
    await fill(table, 6_000);
    const response = await fetch(`${fixture.app.base}/api/v1/tables/${table.id}/export?fields=name`, {
      headers: { authorization: `Bearer ${fixture.owner.token ?? ''}`, 'accept-encoding': 'identity' },
    });
    await sql(fixture.app.config.miniDb, `delete from ${table.physical.schema}.${table.physical.table}`);
    const text = await response.text();
    expect(linesOf(text)).toHaveLength(6_002);
    expect((await exported(table, 'fields=name')).text).toBe('name\r\n');
  });

  it('ends with its reader, and gives its connection back', async () => {
    const table = await newTable();
    await fill(table, 6_000);
    for (const encoding of ['identity', 'gzip']) {
      const gone = new AbortController();
      const response = await fetch(`${fixture.app.base}/api/v1/tables/${table.id}/export?sort=name`, {
        headers: { authorization: `Bearer ${fixture.owner.token ?? ''}`, 'accept-encoding': encoding },
        signal: gone.signal,
      });
      await response.body?.getReader().read();
      gone.abort();
      await waitFor(async () => (await cursors()) === 0);
    }
  });

  it('ends with the right to read, with the session, and when rules show something else of the table', async () => {
    const table = await newTable();
    await fill(table, 24_000);
    // Several times what sockets take without being read, so that none of it is over before its reader has lost his right.
    await sql(fixture.app.config.miniDb, `update ${table.physical.schema}.${table.physical.table} set name = repeat(name, 5)`); // prettier-ignore
    const at = { owner: fixture.owner, workspace: { id: table.workspaceId } } as const;
    const rule = async (value: string): Promise<void> => {
      const read = { filter: { field: 'name', op: 'startsWith', value } };
      const rules = [{ name: 'Some rows', appliesTo: { roles: ['viewer'] }, read }];
      expectStatus(await fixture.owner.call('PUT', `/tables/${table.id}/rules`, { rules }), 200);
    };
    const remove = async (reader: Person): Promise<void> => {
      const members = expectStatus(await fixture.owner.get<Members>(`/workspaces/${table.workspaceId}/members`), 200);
      const { id } = must(members.data.find(({ user }) => user.id === reader.user.id), 'the reader is a member'); // prettier-ignore
      expectStatus(await fixture.owner.del(`/workspaces/${table.workspaceId}/members/${id}`), 204);
    };
    const ends: readonly (readonly [isCut: boolean, end: (reader: Person) => Promise<unknown>, expiresIn?: number])[] =
      [
        [true, remove],
        [true, (reader) => reader.post('/auth/logout')],
        [false, () => add(table, {}), 1],
        [true, () => rule('row')],
        [false, () => add(table, {})],
        [true, () => rule('ro')],
      ];
    for (const [isCut, end, expiresIn] of ends) {
      const reader = await member(at, 'viewer');
      const token = expiresIn === undefined ? reader.accessToken : shortened(reader.accessToken, expiresIn);
      const response = await fetch(`${fixture.app.base}/api/v1/tables/${table.id}/export`, {
        headers: { authorization: `Bearer ${token}`, 'accept-encoding': 'identity' },
      });
      expect(response.status).toBe(200);
      const body = must(response.body, 'an export has a body').getReader();
      await body.read();
      await end(reader);
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      await (isCut ? expect(rest(body)).rejects.toThrow() : rest(body));
      await waitFor(async () => (await cursors()) === 0);
    }
  }, 180_000);

  it('waits for nobody: when four are under way the next is told to come back', async () => {
    const table = await newTable();
    // More than all that sockets take without being read: an export that is in there is over.
    await fill(table, 24_000);
    const gone = new AbortController();
    const begin = () =>
      fetch(`${fixture.app.base}/api/v1/tables/${table.id}/export`, {
        headers: { authorization: `Bearer ${fixture.owner.token ?? ''}`, 'accept-encoding': 'identity' },
        signal: gone.signal,
      });
    const under = await Promise.all([begin(), begin(), begin(), begin()]);
    expect(under.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const refused = await exported(table);
    expect(refusal(refused)).toEqual([503, 'overloaded']);
    expect(refused.headers.get('retry-after')).toBe('5');
    gone.abort();
    await waitFor(async () => (await cursors()) === 0);
    await waitFor(async () => (await exported(table)).status === 200);
  });
});

describe('an export is refused', () => {
  it('before its first byte where the query is wrong', async () => {
    const table = await newTable();
    expect(refusal(await exported(table, 'filter=nope.eq.1'))).toEqual([422, 'filter_invalid', expect.any(String)]);
    expect(refusal(await exported(table, 'fields=nope'))).toEqual([422, 'validation_failed', '/fields unknown_field']);
    expect(refusal(await exported(table, 'format=xlsx'))).toEqual([422, 'validation_failed', '/format is_in']);
    expect(refusal(await exported(table, 'limit=3'))).toEqual([422, 'validation_failed', '/limit unknown_property']);
  });

  it('to strangers, and given to viewers', async () => {
    const table = await newTable();
    const viewer = await member(fixture.at, 'viewer');
    expectStatus(await viewer.get(`/tables/${table.id}/export`), 200);
    const { body } = await client(fixture.app.base).get<{ code: string }>(`/tables/${table.id}/export`);
    expect(body.code).toBe('unauthenticated');
  });

  it('asks for nothing when only its headers are asked for', async () => {
    const table = await newTable();
    await add(table, { name: 'a' });
    const { status, headers } = await fixture.owner.call('HEAD', `/tables/${table.id}/export`);
    expect([status, headers.get('content-type')]).toEqual([200, 'text/csv; charset=utf-8']);
  });
});
