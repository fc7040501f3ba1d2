import { Logger } from '@nestjs/common';

/** A peer that went away: of no consequence for anybody else, whichever library forgot to listen for it. */
const STRAY = new Set([
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

export const isStray = (error: unknown): boolean =>
  error instanceof Error && STRAY.has((error as NodeJS.ErrnoException).code ?? '');

/**
 * What happens to errors that nobody caught. All are logged. A lost connection and a rejected promise leave the program's
 * state intact: the process stays up. After any other exception the state is unknown (https://nodejs.org/api/process.html#event-uncaughtexception):
 * `giveUp` ends the process in order, and whoever supervises it starts a fresh one.
 */
export function guardProcess(giveUp: () => void): void {
  const logger = new Logger('Process');
  // A terminal or pipe that was closed must not end the server, nor be logged into itself.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  process.on('unhandledRejection', (reason) => {
    logger.error('A promise was rejected and nobody handled it', asError(reason));
  });
  process.on('uncaughtException', (error) => {
    if (isStray(error)) {
      logger.warn(`A connection broke and nobody listened: ${error.message}`);
      return;
    }
    logger.fatal('An exception was not caught; stopping', error);
    giveUp();
  });
}

const asError = (reason: unknown) => (reason instanceof Error ? reason : new Error(String(reason)));
