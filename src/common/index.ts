export * from './access.js';
export * from './assert.js';
export * from './decorators/index.js';
export * from './errors/index.js';
export * from './http.js';
export * from './ids.js';
export * from './paging.dto.js';
export * from './pipes/index.js';
