/** A table as somebody has it in a database of their own: here, a schema beside the bases, which is reached through a connection. */
const ROWS = 5_000;

export async function connectExternal(postgres) {
  const { port, role, databases } = postgres;
  const client = await postgres.asServer();
  await client.query('create schema shop');
  await client.query('create table shop.orders (id integer primary key, name text not null, seen timestamptz)');
  await client.query(
    `insert into shop.orders select n, 'Customer ' || n, timestamptz '2026-01-01' + n * interval '1 minute' from generate_series(1, $1::int) n`,
    [ROWS],
  );
  await client.end();
  return {
    object: 'shop.orders',
    access: { port, database: databases.mini, username: role.user, password: role.password },
  };
}
