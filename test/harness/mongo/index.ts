import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { MongoClient, type Document } from 'mongodb';
import { afterThisFile, freePort, ownFolder } from '../run.js';
import { waitFor } from '../wait-for.js';
import { MongoStandIn } from './stand-in.js';

export type { Fault, MongoStandIn } from './stand-in.js';

/** A MongoDB with a user and a database of one's own; stopped after the tests of this file. */
export interface TestMongo {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
  readonly password: string;
  /** The stand-in of this folder, with its faults, where no real server was found. */
  readonly standIn?: MongoStandIn;
  readonly isStandIn: boolean;
  /** Puts documents into a collection of the database, by the official driver. */
  load(collection: string, docs: readonly Document[]): Promise<void>;
  /** Anything else, as the owner. */
  run<T>(work: (client: MongoClient) => Promise<T>): Promise<T>;
  stop(): Promise<void>;
}

type Server = Pick<TestMongo, 'host' | 'port' | 'username' | 'password' | 'standIn' | 'stop'> & {
  readonly authSource: string;
};

/** A real server at `MONGODB_URL` or from a `mongod` on the PATH; else the stand-in. */
export async function startMongo(): Promise<TestMongo> {
  const database = `lt_${randomBytes(6).toString('hex')}`;
  const server = await (process.env.MONGODB_URL
    ? fromUrl(process.env.MONGODB_URL)
    : mongod()
      ? started()
      : standIn(database));
  const { host, port, username, password, authSource } = server;
  const run = async <T>(work: (client: MongoClient) => Promise<T>): Promise<T> => {
    const client = new MongoClient(`mongodb://${host}:${port}`, {
      auth: { username, password },
      authSource,
      directConnection: true,
    });
    try {
      return await work(client);
    } finally {
      await client.close();
    }
  };
  afterThisFile(() => server.stop());
  return {
    ...server,
    database,
    isStandIn: server.standIn !== undefined,
    run,
    load: (collection, docs) =>
      run(async (client) => {
        await client
          .db(database)
          .collection(collection)
          .insertMany([...docs]);
      }),
  };
}

async function standIn(database: string): Promise<Server> {
  const account = { username: 'reader', password: 'p:a/s@s?' };
  const server = new MongoStandIn(account, database);
  return {
    host: '127.0.0.1',
    port: await server.listen(),
    ...account,
    authSource: database,
    standIn: server,
    stop: () => server.stop(),
  };
}

function fromUrl(given: string): Promise<Server> {
  const url = new URL(given);
  return Promise.resolve({
    host: url.hostname, port: Number(url.port || 27017), username: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password), authSource: url.searchParams.get('authSource') ?? 'admin', stop: () => Promise.resolve(),
  }); // prettier-ignore
}

const mongod = (): string | undefined =>
  (process.env.PATH ?? '').split(path.delimiter).map((folder) => path.join(folder, 'mongod')).find((file) => existsSync(file)); // prettier-ignore

async function started(): Promise<Server> {
  const port = await freePort();
  const child = spawn(
    mongod() ?? 'mongod',
    ['--dbpath', ownFolder('mongo'), '--port', String(port), '--bind_ip', '127.0.0.1'],
    { stdio: 'ignore' },
  );
  const account = { username: 'reader', password: 'p:a/s@s?' };
  await waitFor(async () => {
    const client = new MongoClient(`mongodb://127.0.0.1:${port}`, { serverSelectionTimeoutMS: 500 });
    try {
      await client.db('admin').command({ createUser: account.username, pwd: account.password, roles: ['root'] });
      return true;
    } catch {
      return false;
    } finally {
      await client.close();
    }
  }, 30_000);
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      child.once('exit', () => resolve());
      child.kill('SIGKILL');
    });
  return { host: '127.0.0.1', port, ...account, authSource: 'admin', stop };
}
