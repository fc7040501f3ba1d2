import type { FileSettings } from '../../../config/index.js';
import type { FileStorage } from './file-storage.js';
import { LocalStorage } from './local-storage.js';

/** The storage that the settings name. The SDK of S3 takes its time to load: only who uses it waits for it. */
export async function storageFor({ s3, directory }: FileSettings): Promise<FileStorage> {
  if (!s3) return new LocalStorage(directory);
  const { S3Storage } = await import('./s3-storage.js');
  return new S3Storage(s3);
}
