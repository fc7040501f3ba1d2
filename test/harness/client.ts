import { Contract } from './contract.js';

let contract: Contract | undefined;

/** An answer, read to its end; of a stream, which has none, its head. */
export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed JSON; undefined where the body is none. */
  readonly body: T;
  readonly text: string;
}

type Extra = Readonly<Record<string, string>>;

/** An HTTP client for one person (or nobody). Paths are below `/api/v1`, unless they begin with `/api/`, `/public` or `/metrics`. */
export interface Client {
  readonly base: string;
  readonly token: string | undefined;
  get<T = unknown>(path: string, headers?: Extra): Promise<Answer<T>>;
  post<T = unknown>(path: string, body?: unknown, headers?: Extra): Promise<Answer<T>>;
  patch<T = unknown>(path: string, body?: unknown, headers?: Extra): Promise<Answer<T>>;
  del<T = unknown>(path: string, headers?: Extra, body?: unknown): Promise<Answer<T>>;
  /** Any method; a string, bytes, a form or a blob as `body` is sent as it is, everything else as JSON. */
  call<T = unknown>(method: string, path: string, body?: unknown, headers?: Extra): Promise<Answer<T>>;
}

export function client(base: string, token?: string): Client {
  const call = async <T>(method: string, path: string, body?: unknown, headers: Extra = {}): Promise<Answer<T>> => {
    const raw =
      typeof body === 'string' || body instanceof Uint8Array || body instanceof FormData || body instanceof Blob;
    const response = await fetch(base + (/^\/(api|public|metrics)\b/.test(path) ? path : `/api/v1${path}`), {
      method,
      redirect: 'manual',
      signal: AbortSignal.timeout(30_000),
      headers: {
        ...(body !== undefined && !raw ? { 'content-type': 'application/json' } : {}),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: raw ? body : JSON.stringify(body) }),
    });
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
    if (isStream) await response.body?.cancel();
    const text = isStream ? '' : await response.text();
    const answer = { status: response.status, headers: response.headers, body: json(text) as T, text };
    const finding = (contract ??= new Contract()).finding({ method, path: response.url.slice(base.length), ...answer });
    if (finding) throw new Error(`An answer is not as docs/openapi.json says: ${finding}`);
    return answer;
  };
  return {
    base,
    token,
    call,
    get: (path, headers) => call('GET', path, undefined, headers),
    post: (path, body, headers) => call('POST', path, body, headers),
    patch: (path, body, headers) => call('PATCH', path, body, headers),
    del: (path, headers, body) => call('DELETE', path, body, headers),
  };
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The body of an answer that has to have this status; otherwise an error that shows what came instead. */
export function expectStatus<T>(answer: Answer<T>, status: number): T {
  if (answer.status !== status)
    throw new Error(`expected ${status}, got ${answer.status}: ${answer.text.slice(0, 500)}`);
  return answer.body;
}
