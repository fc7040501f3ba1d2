import { destination as writeTo, pino, type DestinationStream, type Logger } from 'pino';
import { errorFields } from './error-fields.js';
import { isTracing, traceIds } from '../tracing/index.js';
import { readable } from './readable.js';

export interface LoggerOptions {
  readonly level: string;
  /** Short lines for a terminal instead of JSON for a log store. */
  readonly readable: boolean;
}

/** The one logger of the process. Where it is traced, lines tell of which trace they are. */
export function createLogger(options: LoggerOptions, destination: DestinationStream = destinationOf(options)): Logger {
  return pino(
    {
      level: options.level,
      base: null,
      serializers: { err: errorFields },
      ...(isTracing() ? { mixin: traceIds } : {}),
      ...(options.readable ? {} : { formatters: { level: (label: string) => ({ level: label }) } }),
    },
    destination,
  );
}

/**
 * Buffered in production, for at most a quarter of a second: a write per request costs more than the rest of the edge, and a
 * full pipe must not stop the event loop. The buffer is flushed at the exit and by a fatal line.
 */
const destinationOf = (options: LoggerOptions): DestinationStream =>
  options.readable
    ? { write: (line) => void process.stdout.write(readable(line)) }
    : writeTo({ dest: 1, sync: false, minLength: 4096, periodicFlush: 250 });
