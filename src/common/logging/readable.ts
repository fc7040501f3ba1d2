import type { ErrorFields } from './error-fields.js';

const LEVELS: Readonly<Record<number, string>> = {
  10: 'TRACE',
  20: 'DEBUG',
  30: ' INFO',
  40: ' WARN',
  50: 'ERROR',
  60: 'FATAL',
};

interface Line {
  readonly level: number;
  readonly time: number;
  readonly msg?: string;
  readonly context?: string;
  readonly err?: ErrorFields | string;
  readonly [field: string]: unknown;
}

/** A JSON log line for human eyes: time, level, context, message, fields, and the stack below. */
export function readable(json: string): string {
  const line = JSON.parse(json) as Line;
  const { level, time, msg, context, err, ...fields } = line.method === undefined ? line : requestLine(line);
  const rest = Object.entries(fields).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const head = [
    new Date(time).toISOString().slice(11, 23),
    LEVELS[level] ?? String(level),
    context && `[${context}]`,
    msg,
    ...rest,
  ];
  return `${head.filter(Boolean).join(' ')}\n${err === undefined ? '' : trace(err)}`;
}

/** `GET /api/v1/tables 404 2.3 ms`; who and where are one request id away. */
function requestLine({ level, time, method, url, status, ms, requestId, trace_id: traceId }: Line): Line {
  const msg = [method, url, status, ms, 'ms'].join(' ');
  return { level, time, msg, requestId, ...(traceId === undefined ? {} : { trace_id: traceId }) };
}

function trace(error: ErrorFields | string): string {
  if (typeof error === 'string') return `    ${error}\n`;
  const own = `    ${(error.stack ?? `${error.type}: ${error.message}`).replaceAll('\n', '\n    ')}\n`;
  return error.cause === undefined ? own : `${own}    caused by\n${trace(error.cause)}`;
}
