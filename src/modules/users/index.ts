export * from './account-deletion.js';
export * from './email.js';
export * from './passwords/index.js';
export * from './user.dto.js';
export * from './user.entity.js';
export * from './users.module.js';
export * from './users.service.js';
