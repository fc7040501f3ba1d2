import { StreamableFile } from '@nestjs/common';
import { Answer, JsonText } from '../../common/index.js';

/** An answer as it can be given again. */
export interface KeptAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text; absent where the answer has no body. */
  readonly body?: string;
}

/** Larger answers are given, but not kept. */
const MAX_BYTES = 1024 * 1024;

/** What a handler returned, as it goes out; undefined for what cannot be kept: streams, bytes, plain text, and what is too large. */
export function keepable(value: unknown, routeStatus: number, maxBytes = MAX_BYTES): KeptAnswer | undefined {
  const answer = value instanceof Answer ? value : new Answer<unknown>(value);
  const { status = routeStatus, headers = {} } = answer.options;
  if (answer.body === undefined || answer.body === null) return { status, headers };
  const body = answer instanceof JsonText ? answer.text : jsonOf(answer.body);
  return body === undefined || Buffer.byteLength(body) > maxBytes ? undefined : { status, headers, body };
}

function jsonOf(body: unknown): string | undefined {
  const streams = body instanceof StreamableFile || body instanceof Uint8Array;
  return typeof body !== 'object' || streams || (body !== null && 'pipe' in body) ? undefined : JSON.stringify(body);
}

/** The answer once more, marked as such. */
export function givenAgain({ status, headers, body }: KeptAnswer): Answer {
  const options = { status, headers: { ...headers, 'idempotency-replayed': 'true' } };
  return body === undefined ? new Answer(undefined, options) : new JsonText(body, options);
}
