import type { LoggerService } from '@nestjs/common';
import type { Logger } from 'pino';
import { isError } from '../errors/index.js';
import { redact } from '../redact.js';

type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/** Nest tells each module and route at every start; that is for whoever debugs the start. */
const CHATTY = new Set(['InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestFactory', 'NestApplication']);

/**
 * Nest's logger on pino. Pass a text, or an object of fields (`{ msg, requestId, err }`); Nest adds the context as the last
 * argument, and a stack before it for errors. Values under keys that smell of secrets do not reach the log.
 */
export class NestLogger implements LoggerService {
  constructor(private readonly pino: Logger) {}

  verbose(message: unknown, ...more: readonly unknown[]): void {
    this.write('trace', message, more);
  }
  debug(message: unknown, ...more: readonly unknown[]): void {
    this.write('debug', message, more);
  }
  log(message: unknown, ...more: readonly unknown[]): void {
    this.write(CHATTY.has(String(more.at(-1))) ? 'debug' : 'info', message, more);
  }
  warn(message: unknown, ...more: readonly unknown[]): void {
    this.write('warn', message, more);
  }
  error(message: unknown, ...more: readonly unknown[]): void {
    this.write('error', message, more);
  }
  fatal(message: unknown, ...more: readonly unknown[]): void {
    this.write('fatal', message, more);
  }

  private write(level: Level, message: unknown, more: readonly unknown[]): void {
    if (!this.pino.isLevelEnabled(level)) return;
    const last = more.at(-1);
    const context = typeof last === 'string' ? { context: last } : {};
    const err = more.slice(0, typeof last === 'string' ? -1 : undefined).find((item) => item !== undefined);
    const fields = { ...context, ...(err === undefined ? {} : { err }) };
    if (isError(message)) this.pino[level]({ ...fields, err: message }, message.message);
    else if (typeof message === 'object' && message !== null)
      this.pino[level]({ ...fields, ...(redact(message) as object) });
    else this.pino[level](fields, String(message));
  }
}
