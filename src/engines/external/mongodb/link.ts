import { MongoClient, type MongoClientOptions } from 'mongodb';
import { Problem } from '../../../common/index.js';
import type { ConnectionTarget, ExternalLimits, Outbound } from '../external-engine.js';
import { isRefusedSignIn, translate } from './mongo-errors.js';
import { Relay } from './relay.js';

/** A driver that is signed in, and the way that it goes. */
export interface Link {
  readonly client: MongoClient;
  readonly relay: Relay;
  close(): Promise<void>;
}

/**
 * Signs in, as a user of the database, or of `admin` where there is no such user: MongoDB keeps users in databases, and nobody should
 * have to know in which.
 * @throws Problem
 */
export async function openLink(target: ConnectionTarget, limits: ExternalLimits, outbound: Outbound): Promise<Link> {
  await outbound.judge(target.host);
  const relay = await Relay.open(target, limits, outbound);
  try {
    const client = await signedIn(target, limits, relay);
    return {
      client,
      relay,
      close: async () => {
        await client.close(true).catch(() => undefined);
        await relay.close();
      },
    };
  } catch (error) {
    await relay.close();
    throw translate(error, 'signing in');
  }
}

async function signedIn(target: ConnectionTarget, limits: ExternalLimits, relay: Relay): Promise<MongoClient> {
  try {
    return await connected(target, limits, relay, target.database);
  } catch (error) {
    if (target.database === 'admin' || !isRefusedSignIn(error)) throw error;
    return connected(target, limits, relay, 'admin');
  }
}

async function connected(
  target: ConnectionTarget,
  limits: ExternalLimits,
  relay: Relay,
  authSource: string,
): Promise<MongoClient> {
  const client = new MongoClient(`mongodb://${encodeURIComponent(relay.path)}`, optionsOf(target, limits, authSource));
  // It would try until its time is over, whatever the reason.
  let unwatch = (): void => undefined;
  const failure = new Promise<never>((_, reject) => (unwatch = relay.watch(reject)));
  try {
    await Promise.race([client.connect(), failure, late(limits.connectMs)]);
    return client;
  } catch (error) {
    await client.close(true).catch(() => undefined);
    throw error;
  } finally {
    unwatch();
  }
}

const late = (ms: number): Promise<never> =>
  new Promise((_, reject) => {
    setTimeout(() => reject(new Problem('source_unreachable', { detail: 'The host does not answer.' })), ms).unref();
  });

/** All options are ours; nothing of a request but user name, password and the names of databases is among them. */
function optionsOf(
  { username, password }: ConnectionTarget,
  limits: ExternalLimits,
  authSource: string,
): MongoClientOptions {
  return {
    auth: { username, password },
    authSource,
    // Whatever the server says of others, they are not connected to.
    directConnection: true,
    appName: 'live-tables',
    compressors: ['none'],
    maxPoolSize: limits.maxSessions,
    minPoolSize: 0,
    maxIdleTimeMS: limits.idleMs,
    waitQueueTimeoutMS: limits.connectMs,
    connectTimeoutMS: limits.connectMs,
    serverSelectionTimeoutMS: limits.connectMs,
    socketTimeoutMS: limits.statementMs + GRACE_MS,
    serverMonitoringMode: 'poll',
    heartbeatFrequencyMS: 30_000,
    retryWrites: false,
    ...EXACT,
  };
}

/** For a server that keeps to the time that it was given. */
export const GRACE_MS = 1_000;

/** Values of BSON as they are, and nothing rounded. */
export const EXACT = { promoteValues: false, promoteLongs: false, promoteBuffers: false, bsonRegExp: true } as const;
