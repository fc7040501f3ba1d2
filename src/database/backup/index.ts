export { migrationsOf, takeBackup, copyFiles } from './backup.js';
export { dumpRecords, type DumpRecord } from './dump-records.js';
export { DUMPS, FILES, readManifest, type Manifest } from './manifest.js';
export { BackupError, programFor } from './programs.js';
export { restoreBackup, withClient } from './restore.js';
export { snapshotPair } from './snapshots.js';
export { aloneWithBase, stageBase, stageOf } from './stage-base.js';
