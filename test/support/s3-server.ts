import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import type { FileSettings, S3Settings } from '../../src/config/index.js';
import { afterThisFile, ownFolder } from '../harness/index.js';

interface S3rver {
  run(): Promise<AddressInfo>;
  close(): Promise<void>;
}
type S3rverClass = new (options: object) => S3rver;

/** CommonJS without types. */
const Server = createRequire(import.meta.url)('s3rver') as S3rverClass;

/** A real S3 server of one's own, with an empty bucket. */
export async function s3Server(): Promise<S3Settings> {
  const bucket = 'files';
  const server = new Server({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory: ownFolder('s3'),
    configureBuckets: [{ name: bucket }],
  });
  const { port } = await server.run();
  afterThisFile(() => server.close());
  return {
    bucket,
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
    prefix: '',
  };
}

/** Settings of files as they are without configuration, but for what is given. */
export const fileSettings = (over: Partial<FileSettings>): FileSettings => ({
  directory: ownFolder('files'),
  maxBytes: 26_214_400,
  types: [],
  urlSeconds: 900,
  ...over,
});
