export { contentDisposition } from './download/content-headers.js';
export { FilesModule } from './files.module.js';
export { FilesPurge } from './files-purge.js';
export { FILE_STORAGE, ObjectMissing, storageKey, type FileStorage } from './storage/index.js';
export { FilesService } from './files.service.js';
