import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterThisFile } from '../harness/index.js';

/** A span as it was sent, with its attributes by name. */
export interface SentSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly status: { readonly code?: number };
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  /** Of the process that sent it. */
  readonly resource: Readonly<Record<string, string | number | boolean>>;
}

/** A server that takes OTLP over HTTP. */
export interface Collector {
  readonly url: string;
  readonly spans: SentSpan[];
  /** Every body as it came, one after the other. */
  raw(): string;
  readonly headers: IncomingHttpHeaders[];
  readonly paths: string[];
  answer: (response: ServerResponse) => void;
}

type Value = { readonly stringValue?: string; readonly intValue?: number | string; readonly doubleValue?: number; readonly boolValue?: boolean }; // prettier-ignore
type Attributes = readonly { readonly key: string; readonly value: Value }[];
interface Body {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Attributes };
    readonly scopeSpans: readonly {
      readonly spans: readonly (Omit<SentSpan, 'attributes' | 'links' | 'resource'> & {
        readonly attributes?: Attributes;
        readonly links?: SentSpan['links'];
      })[];
    }[];
  }[];
}

const byName = (attributes: Attributes = []): SentSpan['attributes'] =>
  Object.fromEntries(
    attributes.map(({ key, value: { stringValue, intValue, doubleValue, boolValue } }) => [
      key,
      stringValue ?? (intValue === undefined ? undefined : Number(intValue)) ?? doubleValue ?? boolValue ?? '',
    ]),
  );

const spansOf = (text: string): SentSpan[] =>
  (JSON.parse(text) as Body).resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        ...span,
        attributes: byName(span.attributes),
        links: span.links ?? [],
        resource: byName(resource.attributes),
      })),
    ),
  );

/** Takes everything, unless `answer` is set to something else. */
export async function collector(): Promise<Collector> {
  const texts: string[] = [];
  const found: Collector = {
    url: '',
    spans: [],
    raw: () => texts.join('\n'),
    headers: [],
    paths: [],
    answer: (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'),
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      texts.push(text);
      found.headers.push(request.headers);
      found.paths.push(request.url ?? '');
      found.spans.push(...spansOf(text));
      found.answer(response);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterThisFile(() => {
    server.closeAllConnections();
    server.close();
  });
  return Object.assign(found, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}
