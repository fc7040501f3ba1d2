import { describe, expect, it } from '@jest/globals';
import { CursorCodec } from '../../keyset.js';
import type { ObjectColumn, ObjectSchema } from '../../object-schema.js';
import { parseJsonFilter } from '../../filter/json-filter.js';
import { Objects, resolveSource, type JoinInput } from '../../resolve/resolve-source.js';
import { resolveSourceGroups, resolveSourceRead, type SourceRequest } from '../../resolve/resolve-source-read.js';
import type { GroupRequest } from '../../resolve/resolve-groups.js';
import type { ColumnTypeName } from '../../schema.js';
import { toPositional, toStatement, type Sql } from '../../sql.js';
import type { SqlDialect } from './dialect.js';
import { MYSQL } from './mysql-dialect.js';
import { POSTGRES } from './postgres-dialect.js';
import { compileSourceGroups } from './source-groups.js';
import { compileSourceRead } from './source-read.js';

const cursors = new CursorCodec(Buffer.alloc(32, 7));
const context = { now: new Date('2026-11-26T12:00:00Z') };
const capabilities = { joins: true, jsonPaths: true, timeZones: true };

function object(name: string, columns: readonly (readonly [string, ColumnTypeName, string, boolean?])[]): ObjectSchema {
  const made = columns.map(([key, type, form, required = false]): ObjectColumn => ({
    ...{ id: key, key, name: key, physical: key, type, form, required, alias: name },
    ...{ options: {}, unique: false, default: null },
  }));
  const key = made.slice(0, 1);
  return {
    id: name,
    schemaVersion: 0,
    physical: { schema: 'shop', table: name },
    kind: 'table',
    columns: made,
    key,
    estimatedRows: null,
  };
}

const OBJECTS = new Objects([
  object('people', [['id', 'integer', 'int', true], ['name', 'text', 'text'], ['born', 'date', 'date']]),
  object('deals', [['no', 'integer', 'int', true], ['person', 'integer', 'int'], ['name', 'text', 'text']]),
]); // prettier-ignore

const read = (
  dialect: SqlDialect,
  request: Partial<Omit<SourceRequest, 'filter'>>,
  filter: unknown,
  after?: readonly (string | null)[],
  joins: readonly JoinInput[] = [],
): Sql => {
  const source = resolveSource({ from: 'shop.people', as: 'p', joins }, OBJECTS);
  const asked = { sort: [], limit: 2, count: 'none' as const, filter: parseJsonFilter(filter, '/filter'), ...request };
  const { plan } = resolveSourceRead(asked, source, capabilities, cursors, context);
  return compileSourceRead(after ? { ...plan, after } : plan, dialect).sql;
};
const groups = (dialect: SqlDialect, request: Partial<GroupRequest>): Sql => {
  const source = resolveSource({ from: 'people', joins: [] }, OBJECTS);
  const asked = {
    groupBy: [],
    aggregates: [],
    sort: [],
    limit: 2,
    count: 'none' as const,
    timeZone: 'UTC',
    ...request,
  };
  return compileSourceGroups(resolveSourceGroups(asked, source, capabilities, cursors, context).plan, dialect).sql;
};

const HOSTILE = `x' or "1"="1 \\ ; --`;

describe('statements for databases of others', () => {
  it('hold every value apart from the text, whatever it is', () => {
    const filter = {
      or: [
        { field: 'name', op: 'eq', value: HOSTILE },
        { field: 'name', op: 'in', value: [HOSTILE] },
        { field: 'name', op: 'gt', value: HOSTILE },
      ],
    };
    for (const statement of [toStatement(read(POSTGRES, {}, filter)), toPositional(read(MYSQL, {}, filter))]) {
      expect(statement.text).not.toContain('1"="1');
      expect(JSON.stringify(statement.values)).toContain(JSON.stringify(HOSTILE).slice(1, -1));
    }
  });

  it('are for PostgreSQL', () => {
    const statement = toStatement(
      read(
        POSTGRES,
        { fields: ['name'], sort: [{ field: 'born', dir: 'desc' }] },
        { not: { field: 'name', op: 'eq', value: 'a' } },
      ),
    );
    expect(statement).toMatchInlineSnapshot(`
     {
       "text": "select concat('{"name":', coalesce(to_json("p"."c0")::text, 'null'), '}'), "p"."c1" as "k0", "p"."c2" as "k1" from (select "u".* from ((select "p"."name" as "c0", "p"."born" as "c1", "p"."id" as "c2" from "shop"."people" "p" where (("p"."name" = $1::text and "p"."name" collate "C" = $2::text)) is not true and "p"."born" is null order by "p"."born" desc nulls last, "p"."id" desc limit 3) union all (select "p"."name" as "c0", "p"."born" as "c1", "p"."id" as "c2" from "shop"."people" "p" where (("p"."name" = $3::text and "p"."name" collate "C" = $4::text)) is not true and "p"."born" is not null order by "p"."born" desc, "p"."id" desc limit 3)) "u" order by "u"."c1" desc nulls last, "u"."c2" desc limit 3) "p" order by "p"."c1" desc nulls last, "p"."c2" desc",
       "values": [
         "a",
         "a",
         "a",
         "a",
       ],
     }
    `);
    expect(
      toStatement(
        read(
          POSTGRES,
          { fields: ['name'], sort: [{ field: 'name', dir: 'asc' }] },
          { field: 'id', op: 'gt', value: 1 },
          ['b', '7'],
        ),
      ).text,
    ).toMatchInlineSnapshot(
      `"select concat('{"name":', coalesce(to_json("p"."c0")::text, 'null'), '}'), "p"."c0" collate "C" as "k0", "p"."c1" as "k1" from (select "p"."name" as "c0", "p"."id" as "c1" from "shop"."people" "p" where "p"."id" > $1::bigint and ("p"."name" collate "C", "p"."id") > ($2::text, $3::bigint) order by "p"."name" collate "C" asc, "p"."id" asc limit 3) "p" order by "p"."c0" collate "C" asc nulls first, "p"."c1" asc"`,
    );
  });

  it('are for MySQL', () => {
    const statement = toPositional(
      read(
        MYSQL,
        { fields: ['name'], sort: [{ field: 'born', dir: 'desc' }] },
        { not: { field: 'name', op: 'eq', value: 'a' } },
      ),
    );
    expect(statement).toMatchInlineSnapshot(`
     {
       "text": "select convert("p"."c0" using utf8mb4), "p"."c1" as "k0", "p"."c2" as "k1" from (select "p"."name" as "c0", "p"."born" as "c1", "p"."id" as "c2" from "shop"."people" "p" where (("p"."name" = ? and cast(convert("p"."name" using utf8mb4) as binary) = cast(? as binary))) is not true and true order by "p"."born" desc, "p"."id" desc limit 3) "p" order by "p"."c1" desc, "p"."c2" desc",
       "values": [
         "a",
         "a",
       ],
     }
    `);
  });

  it('join in the database', () => {
    const joins = [{ type: 'left', object: 'deals', as: 'd', on: [{ left: 'p.id', right: 'd.person' }] }];
    const asked = { fields: ['p.name', 'd.name'] };
    const filter = { field: 'd.name', op: 'isNull' };
    expect(toStatement(read(POSTGRES, asked, filter, undefined, joins)).text).toMatchInlineSnapshot(
      `"select concat('{"p_name":', coalesce(to_json("p"."c0")::text, 'null'), ',"d_name":', coalesce(to_json("p"."c1")::text, 'null'), '}'), "p"."c2" as "k0", "p"."c3" as "k1" from (select "p"."name" as "c0", "d"."name" as "c1", "p"."id" as "c2", "d"."no" as "c3" from "shop"."people" "p" left join "shop"."deals" "d" on "p"."id" = "d"."person" where "d"."name" is null and true order by "p"."id" asc, "d"."no" asc nulls first limit 3) "p" order by "p"."c2" asc, "p"."c3" asc nulls first"`,
    );
    expect(toPositional(read(MYSQL, asked, filter, undefined, joins)).text).toMatchInlineSnapshot(
      `"select convert("p"."c0" using utf8mb4), convert("p"."c1" using utf8mb4), "p"."c2" as "k0", "p"."c3" as "k1" from (select "p"."name" as "c0", "d"."name" as "c1", "p"."id" as "c2", "d"."no" as "c3" from "shop"."people" "p" left join "shop"."deals" "d" on "p"."id" = "d"."person" where "d"."name" is null and true order by "p"."id" asc, "d"."no" asc limit 3) "p" order by "p"."c2" asc, "p"."c3" asc"`,
    );
  });

  it('group by what is equal', () => {
    const asked = {
      groupBy: [{ field: 'born', bucket: 'year' }],
      aggregates: [
        { as: 'n', fn: 'count' },
        { as: 'first', fn: 'min', field: 'name' },
      ],
      sort: [{ field: 'n', dir: 'desc' as const }],
    };
    expect(toStatement(groups(POSTGRES, asked)).text).toMatchInlineSnapshot(
      `"select concat('{"born":', coalesce('"' || "g"."g0"::text || '"', 'null'), '}'), concat('{"n":', coalesce("g"."a0"::text, 'null'), ',"first":', coalesce(to_json("g"."a1")::text, 'null'), '}'), "g"."a0" as "k0", "g"."g0" as "k1" from (select case when "r"."c0" is not null then date_trunc('year', "r"."c0"::timestamp)::date end as "g0", count(*) as "a0", min("r"."c1") as "a1" from (select "people"."born" as "c0", "people"."name" collate "C" as "c1" from "shop"."people" "people" where true) "r" group by "g0") "g" where true order by "g"."a0" desc nulls last, "g"."g0" desc nulls last limit 3"`,
    );
    expect(toPositional(groups(MYSQL, asked)).text).toMatchInlineSnapshot(
      `"select "g"."g0", "g"."a0", convert("g"."a1" using utf8mb4), "g"."a0" as "k0", "g"."g0" as "k1" from (select cast(date_format("r"."c0", '%Y-01-01') as date) as "g0", count(*) as "a0", min("r"."c1") as "a1" from (select case when year("people"."born") > 0 and month("people"."born") > 0 and dayofmonth("people"."born") > 0 then "people"."born" end as "c0", cast(convert("people"."name" using utf8mb4) as binary) as "c1" from "shop"."people" "people" where true) "r" group by "g0") "g" where true order by "g"."a0" desc, "g"."g0" desc limit 3"`,
    );
  });
});
