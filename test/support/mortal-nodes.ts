import { asSuperuser, startNode, type TestDatabases, type TestNode, type TestRedis } from '../harness/index.js';

/** Two nodes of one installation that are killed and come back. */
export function mortalNodes(pair: TestDatabases, redis?: TestRedis) {
  const ever: TestNode[] = [];
  const start = async () => {
    const node = await startNode({ databases: pair, ...(redis ? { redis } : {}) });
    ever.push(node);
    return node;
  };
  const nodes = [start(), start()];
  const at = (i: number): Promise<TestNode> => nodes[i % 2] ?? start();
  const kill = async (i: number): Promise<void> => {
    const node = await at(i);
    nodes[i] = node.kill9().then(start);
    await nodes[i];
  };
  /** What the nodes, dead ones too, have said of a request that went wrong. */
  const said = (requestId: string): string =>
    ever
      .flatMap((node) => node.output().split('\n'))
      .filter((line) => line.includes(requestId))
      .join('\n');
  return { at, kill, said };
}

/** A connection that ends is what we wait for; everything else is a wrong answer. */
export const isDeath = (error: unknown): boolean =>
  /^(fetch failed|terminated)$/.test((error as { readonly message: string }).message);

/** Ends every connection of the servers, as a restart of PostgreSQL does. */
export const cutOff = ({ main, mini }: TestDatabases) =>
  asSuperuser('postgres', (superuser) =>
    superuser.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = any($1)', [
      [main.database, mini.database],
    ]),
  );
