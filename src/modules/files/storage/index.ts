export * from './file-storage.js';
export * from './storage-for.js';
