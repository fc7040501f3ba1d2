import type { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import type { S3Settings } from '../../../config/index.js';
import { ObjectMissing, StorageError, type ByteRange, type FileStorage } from './file-storage.js';

/** Bytes that one upload holds in memory, twice: S3 takes no smaller part but the last. */
const PART_BYTES = 5 * 1024 * 1024;
/** Slow queryers keep their connection to the store; they shall not keep others from theirs. */
const MAX_SOCKETS = 500;
const DELETES_AT_ONCE = 8;
/** A store that takes connections and says nothing is away: whoever asked for a file waits for it twice so long at most. */
const ANSWERS_WITHIN_MS = 15_000;
const ATTEMPTS = 2;

/**
 * A bucket of S3, or of a server that speaks its protocol. An object is there when its last part is; the parts of an upload that
 * died are the bucket's to remove (rule AbortIncompleteMultipartUpload).
 */
export class S3Storage implements FileStorage {
  private readonly client: S3Client;
  private readonly bucket: string;
  private readonly prefix: string;

  /** @param answersWithinMs until the head of an answer, which for a part that is written is behind all of its bytes */
  constructor({ bucket, prefix, endpoint, region, credentials }: S3Settings, answersWithinMs = ANSWERS_WITHIN_MS) {
    this.bucket = bucket;
    this.prefix = prefix === '' ? '' : `${prefix}/`;
    this.client = new S3Client({
      region,
      ...(credentials ? { credentials } : {}),
      // Servers of one's own rarely have a host name for each bucket.
      ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
      // By default the SDK adds checksums that other servers than AWS do not know.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      maxAttempts: ATTEMPTS,
      requestHandler: {
        connectionTimeout: 5_000,
        requestTimeout: answersWithinMs,
        throwOnRequestTimeout: true,
        socketTimeout: 60_000,
        httpAgent: { maxSockets: MAX_SOCKETS },
        httpsAgent: { maxSockets: MAX_SOCKETS },
      },
    });
  }

  async put(key: string, content: Readable): Promise<void> {
    let failed: Error | undefined;
    content.once('error', (error) => (failed = error));
    const params = { Bucket: this.bucket, Key: this.prefix + key, Body: content };
    try {
      await new Upload({ client: this.client, params, partSize: PART_BYTES, queueSize: 2 }).done();
    } catch (error) {
      content.destroy();
      throw failed ?? new StorageError('write', error);
    }
  }

  async open(key: string, range?: ByteRange): Promise<Readable> {
    const Range = range && `bytes=${range.start}-${range.end}`;
    const answer = await this.missing(key, 'read', () =>
      this.client.send(new GetObjectCommand({ ...this.at(key), Range })),
    );
    // On Node.js the SDK's body is the answer itself.
    return answer.Body as Readable;
  }

  async copy(from: string, to: string): Promise<void> {
    const CopySource = `${this.bucket}/${this.prefix}${from}`;
    await this.missing(from, 'copy', () => this.client.send(new CopyObjectCommand({ ...this.at(to), CopySource })));
  }

  async remove(key: string): Promise<void> {
    await this.removeObject(this.prefix + key);
  }

  async removeAll(schema: string): Promise<void> {
    const Prefix = `${this.prefix}${schema}/`;
    // Always the first page: what it named is gone then.
    for (let more = true; more;) {
      const page = await this.telling('list', () =>
        this.client.send(new ListObjectsV2Command({ Bucket: this.bucket, Prefix })),
      );
      const keys = (page.Contents ?? []).flatMap(({ Key }) => Key ?? []);
      while (keys.length > 0) await Promise.all(keys.splice(0, DELETES_AT_ONCE).map((each) => this.removeObject(each)));
      more = page.IsTruncated === true;
    }
  }

  /** One by one: the call for many wants a checksum, of which not every server knows. */
  private async removeObject(Key: string): Promise<void> {
    await this.telling('remove', () => this.client.send(new DeleteObjectCommand({ Bucket: this.bucket, Key })));
  }

  private at(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.bucket, Key: this.prefix + key };
  }

  private async telling<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw new StorageError(what, error);
    }
  }

  private async missing<T>(key: string, what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw error instanceof NoSuchKey ? new ObjectMissing(key) : new StorageError(what, error);
    }
  }
}
