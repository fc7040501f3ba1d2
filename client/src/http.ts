import type { Operations } from './openapi.js';
import { ApiError, ConnectionError, type Problem } from './problem.js';

/** `METHOD /path`, below `/api/v1`. */
export type Operation = keyof Operations;
export type AnswerOf<O extends Operation> = Operations[O]['answer'];

type Part<O extends Operation, Name extends string> = Operations[O] extends Record<Name, infer T> ? T : undefined;
type Needed<O extends Operation, Name extends string> =
  Operations[O] extends Record<Name, infer T> ? Readonly<Record<Name, T>> : Readonly<Partial<Record<Name, never>>>;

/** What an operation is called with: what its path, query and body take. */
export type CallOptions<O extends Operation> = Needed<O, 'path'> &
  Needed<O, 'body'> & {
    readonly query?: Part<O, 'query'>;
    readonly headers?: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal;
  };

/** The parts of `fetch` that are used; another one can be given. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface Request {
  readonly path?: Readonly<Record<string, string>> | undefined;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>> | undefined;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Calls an operation and gives what it answers, `undefined` for an answer without body.
 *
 * @throws {ApiError} a refusal.
 * @throws {ConnectionError} no answer, or none of this API.
 */
export async function send(fetch: Fetch, baseUrl: string, operation: string, request: Request): Promise<unknown> {
  const [method = '', template = ''] = operation.split(' ');
  const path = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(request.path?.[name] ?? ''));
  const query = new URLSearchParams(
    Object.entries(request.query ?? {}).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)] as [string, string]],
    ),
  ).toString();
  const url = `${baseUrl}/api/v1${path}${query === '' ? '' : `?${query}`}`;
  const { status, ok, text } = await read(fetch, url, {
    method,
    headers: { ...(request.body === undefined ? {} : { 'content-type': 'application/json' }), ...request.headers },
    ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  });
  if (ok && text === '') return undefined;
  const body = parsed(text);
  if (ok && body !== undefined) return body;
  if (isProblem(body)) throw new ApiError(body);
  throw new ConnectionError(`${operation} was answered with ${status}, and not by this API.`);
}

async function read(
  fetch: Fetch,
  url: string,
  init: RequestInit,
): Promise<{ readonly status: number; readonly ok: boolean; readonly text: string }> {
  try {
    const answer = await fetch(url, init);
    return { status: answer.status, ok: answer.ok, text: await answer.text() };
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ConnectionError('The server could not be reached.', { cause: error });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const isProblem = (body: unknown): body is Problem =>
  typeof body === 'object' && body !== null && 'code' in body && 'status' in body && 'title' in body;
