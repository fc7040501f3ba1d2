export { takeBackup } from './backup.js';
export { BackupError, programFor } from './programs.js';
export { restoreBackup } from './restore.js';
export { snapshotPair } from './snapshots.js';
