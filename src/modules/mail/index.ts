export * from './mail.module.js';
export { Mailer, type Template } from './mailer.js';
export type { Message } from './mail-transport.js';
