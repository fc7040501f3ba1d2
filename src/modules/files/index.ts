export { contentDisposition } from './download/content-headers.js';
export { FilesModule } from './files.module.js';
export { FilesPurge } from './files-purge.js';
export { FilesService } from './files.service.js';
