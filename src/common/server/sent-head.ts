import type { ServerResponse } from 'node:http';
import { must } from '../assert.js';

/** What is another text in each answer. */
const VARYING = ['date', 'x-request-id', 'server-timing', 'ratelimit', 'ratelimit-policy'] as const;
type Varying = (typeof VARYING)[number];
/** The values of the headers that vary. */
export type VaryingHeaders = Readonly<Record<Varying, string>>;

const FIELD = /\r\n(date|x-request-id|server-timing|ratelimit|ratelimit-policy): [^\r]*(?=\r\n)/gi;

/**
 * Where Node keeps the head of an answer, as text, once it is made, and where it takes it from when it writes. Nothing documents it, but nothing else spares
 * to have fifteen headers checked and put together anew that were a moment ago. Where it is not what it was, nothing is known to have been sent, and no head
 * is sent again: everything goes the way that it went before.
 */
interface OpenResponse {
  _header: string | null | undefined;
}

/** The head of an answer that was sent, to be sent again with the values of another request. */
export class SentHead {
  private constructor(
    private readonly constants: readonly string[],
    private readonly names: readonly Varying[],
  ) {}

  /** Undefined for a head that is not like that of most answers: whose connection ends with it, or whose length is not known before. */
  static of(response: ServerResponse): SentHead | undefined {
    const { _header: text } = response as unknown as OpenResponse;
    if (typeof text !== 'string' || !text.endsWith('\r\n\r\n')) return undefined;
    if (!/\r\nconnection: keep-alive\r\n/i.test(text) || /\r\ntransfer-encoding:/i.test(text)) return undefined;
    const names: Varying[] = [];
    const constants: string[] = [];
    let from = 0;
    for (const { 0: field, 1: name = '', index } of text.matchAll(FIELD)) {
      names.push(name.toLowerCase() as Varying);
      constants.push(text.slice(from, index + 2 + name.length + 2));
      from = index + field.length;
    }
    constants.push(text.slice(from));
    return VARYING.every((name) => names.filter((each) => each === name).length === 1)
      ? new SentHead(constants, names)
      : undefined;
  }

  with(values: VaryingHeaders): string {
    const { constants, names } = this;
    let [text = ''] = constants;
    for (let at = 0; at < names.length;) {
      text += values[must(names[at], 'names are counted')];
      text += must(constants[++at], 'behind each name stands a constant');
    }
    return text;
  }
}

/** Sends an answer whose head is made already; without a body where there is none. */
export function sendAgain(response: ServerResponse, status: number, head: string, body: Buffer | undefined): void {
  response.statusCode = status;
  (response as unknown as OpenResponse)._header = head;
  response.end(body);
}
