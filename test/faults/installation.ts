import {
  freePort,
  mysqlDatabase,
  redis,
  startNode,
  tcpProxy,
  type Ending,
  type ServerOptions,
  type TcpProxy,
  type TestMysql,
  type TestNode,
  type TestRedis,
} from '../harness/index.js';
import { ownPostgres, type OwnPostgres } from './own-postgres.js';

/** One node, and its own way to PostgreSQL, which can be broken. */
export interface FaultyNode {
  readonly base: string;
  readonly postgres: TcpProxy;
  /** Undefined while it is down. */
  process: TestNode | undefined;
}

/** Two nodes as processes of their own, and all that they stand on. */
export interface Installation {
  readonly nodes: readonly [FaultyNode, FaultyNode];
  readonly postgres: OwnPostgres;
  readonly redis: TestRedis;
  /** Somebody's database, where there is to be one, and the way to it. */
  readonly external: { readonly mysql: TestMysql; readonly way: TcpProxy } | undefined;
  start(node: FaultyNode): Promise<void>;
  stop(node: FaultyNode, how: 'kill9' | 'term'): Promise<Ending | undefined>;
}

/** A start that fails, as on a machine that is too busy to sign in to PostgreSQL in time, is tried again, as whoever runs nodes would. */
async function asOrchestrator(options: ServerOptions): Promise<TestNode> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startNode(options);
    } catch (error) {
      if (attempt === 5) throw error;
    }
  }
}

/** Starts everything. Nodes keep their ports through restarts. */
export async function install({ external = true } = {}): Promise<Installation> {
  const [postgres, shared] = await Promise.all([ownPostgres(), redis()]);
  const mysql = external ? await mysqlDatabase() : undefined;
  const start = async (node: FaultyNode) => {
    const { host, port } = node.postgres;
    const over = { host, port };
    node.process ??= await asOrchestrator({
      databases: { main: { ...postgres.pair.main, ...over }, mini: { ...postgres.pair.mini, ...over } },
      redis: shared,
      env: { PORT: new URL(node.base).port, EXTERNAL_CONNECT_TIMEOUT: '2', EXTERNAL_STATEMENT_TIMEOUT: '2' },
    });
  };
  const newNode = async (): Promise<FaultyNode> => ({
    base: `http://127.0.0.1:${await freePort()}`,
    postgres: await tcpProxy({ host: '127.0.0.1', port: postgres.port }),
    process: undefined,
  });
  const nodes = [await newNode(), await newNode()] as const;
  await Promise.all(nodes.map(start));
  return {
    nodes,
    postgres,
    redis: shared,
    external: mysql && { mysql, way: await tcpProxy(mysql) },
    start,
    stop: async (node, how) => {
      const { process } = node;
      node.process = undefined;
      return process?.[how]();
    },
  };
}
