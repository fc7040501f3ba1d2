import { Told } from '../lib/project.mjs';

/** The databases of `docker compose`, as they are reached from this machine. */
export const DEFAULTS = {
  postgres: 'postgresql://live_tables:live_tables_dev@127.0.0.1:5432/live_tables_main',
  mysql: 'mysql://example:example_dev@127.0.0.1:3307/example',
  mongodb: 'mongodb://root:mongo_dev@127.0.0.1:27017/example?authSource=admin',
};

/** Makes a connection to a database, and finds an object in it: the connection, `from` (what questions call the object) and its columns. */
export async function connect(api, workspaceId, engine, { hostname, port, username, password, pathname }, wanted) {
  const body = {
    name: engine,
    engine,
    host: hostname,
    port: Number(port),
    database: decodeURIComponent(pathname.slice(1)),
    username: decodeURIComponent(username),
    password: decodeURIComponent(password),
    tls: { mode: 'disable' },
  };
  const path = `/workspaces/${workspaceId}/connections`;
  const made = (await api.call('POST', path, { body, status: 201, quiet: true })).body;
  const { objects } = (await api.call('GET', `/connections/${made.id}/schema`, { quiet: true })).body;
  const found = objects.find(
    ({ schema, name }) => name === wanted && (engine === 'postgresql' ? schema === 'public' : true),
  );
  if (!found) throw new Told(`${engine}: the schema has no object named ${wanted}.`);
  return { ...made, from: `${found.schema}.${found.name}`, columns: found.columns };
}
