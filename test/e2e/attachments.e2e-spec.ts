import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { must } from '../../src/common/index.js';
import {
  client,
  expectStatus,
  member,
  startApp,
  waitFor,
  world,
  type Answer,
  type Person,
  type ProblemBody,
  type TestApp,
  type World,
} from '../harness/index.js';
import { form, type Attachment } from '../support/attachments.js';
import { s3Server } from '../support/s3-server.js';

const MiB = 1024 * 1024;
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const random = (size: number) => new Uint8Array(randomBytes(size));

interface Link extends Attachment {
  readonly url: string;
  readonly expiresAt: string;
}

const upload = (person: Person, table: World['table'], body: FormData) =>
  person.post<{ data: readonly Attachment[] } & ProblemBody>(`/tables/${table.id}/attachments`, body);
const uploaded = async (person: Person, table: World['table'], body: FormData): Promise<Attachment> => {
  const [first] = expectStatus(await upload(person, table, body), 201).data;
  if (!first) throw new Error('nothing was uploaded');
  return first;
};
const linkOf = async (person: Person, table: World['table'], { id }: Attachment): Promise<Link> =>
  expectStatus(await person.get<Link>(`/tables/${table.id}/attachments/${id}`), 200);

/** All that the storage holds of a table's base. */
const kept = ({ config }: TestApp, table: World['table']): string[] => {
  const folder = path.join(config.files.directory, table.physical.schema);
  return existsSync(folder) ? readdirSync(folder) : [];
};

interface Bytes {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
}
const download = async (base: string, url: string, init: RequestInit = {}): Promise<Bytes> => {
  const answer = await fetch(base + url, init);
  return { status: answer.status, headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) };
};

describe.each(['a local folder', 'S3'])('files in %s', (where) => {
  let server: TestApp;
  let home: World;
  beforeAll(async () => {
    const s3 = where === 'S3' ? await s3Server() : undefined;
    const plain = { maxBytes: 26_214_400, types: [], urlSeconds: 900, directory: '' };
    server = await startApp(s3 ? { config: { files: { ...plain, s3 } } } : {});
    home = await world(server.base);
  });

  it('come back byte for byte, large ones too, with their hash', async () => {
    const contents = [random(9 * MiB + 17), random(1), random(0)];
    const body = form(
      ...contents.map((content, n) => ({ content, name: `random ${n}.bin`, type: 'application/x-own' })),
    );
    const answer = await upload(home.owner, home.table, body);
    const { data } = expectStatus(answer, 201);
    expect(answer.headers.get('location')).toBe(`/api/v1/tables/${home.table.id}/attachments/${data[0]?.id ?? ''}`);
    for (const [n, content] of contents.entries()) {
      const file = must(data[n], 'a file for each content');
      expect(file).toMatchObject({ name: `random ${n}.bin`, size: content.length, sha256: sha256(content) });
      const link = await linkOf(home.owner, home.table, file);
      expect(link).toEqual({ ...file, url: expect.any(String), expiresAt: expect.any(String) });
      const answer = await download(server.base, link.url);
      expect([answer.status, sha256(answer.bytes)]).toEqual([200, file.sha256]);
      expect(answer.headers.get('content-length')).toBe(String(content.length));
    }
  });

  it('come in parts to who asks for them, and not at all to who has them', async () => {
    const content = random(100_000);
    const { url, sha256: hash } = await linkOf(
      home.owner,
      home.table,
      await uploaded(home.owner, home.table, form(content)),
    );
    const part = await download(server.base, url, { headers: { range: 'bytes=10-70000' } });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, 'bytes 10-70000/100000']);
    expect(part.bytes.equals(content.subarray(10, 70_001))).toBe(true);
    const tail = await download(server.base, url, { headers: { range: 'bytes=-5', 'if-range': `"${hash}"` } });
    expect([tail.status, tail.bytes.equals(content.subarray(-5))]).toEqual([206, true]);
    const stale = await download(server.base, url, { headers: { range: 'bytes=-5', 'if-range': '"other"' } });
    expect([stale.status, stale.bytes.length]).toEqual([200, 100_000]);
    const beyond = await download(server.base, url, { headers: { range: 'bytes=100000-' } });
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, 'bytes */100000']);
    const known = await download(server.base, url, { headers: { 'if-none-match': `"${hash}"` } });
    expect([known.status, known.bytes.length]).toEqual([304, 0]);
    const head = await download(server.base, url, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), head.bytes.length]).toEqual([200, '100000', 0]);
  });
});

describe('attachments', () => {
  let server: TestApp;
  let home: World;
  beforeAll(async () => {
    server = await startApp({ env: { FILES_MAX_BYTES: String(2 * MiB), FILES_URL_SECONDS: '5' } });
    home = await world(server.base);
  });

  it('can do no harm in a browser, whatever is in them', async () => {
    const pages = [
      { type: 'text/html', served: 'application/octet-stream', shown: 'attachment' },
      { type: 'image/svg+xml', served: 'application/octet-stream', shown: 'attachment' },
      { type: 'text/plain', served: 'text/plain; charset=utf-8', shown: 'attachment' },
      { type: 'image/png', served: 'image/png', shown: 'inline' },
      { type: 'application/pdf', served: 'application/pdf', shown: 'inline' },
    ];
    for (const { type, served, shown } of pages) {
      const file = await uploaded(
        home.owner,
        home.table,
        form({ content: '<script>alert(1)</script>', name: "ü 'x'.html", type }),
      );
      expect(file.mimeType).toBe(type);
      const { url } = await linkOf(home.owner, home.table, file);
      for (const [query, kind] of [
        ['', 'attachment'],
        ['?inline=1', shown],
      ] as const) {
        const { status, headers } = await download(server.base, url + query, {
          headers: { 'accept-encoding': 'br, gzip' },
        });
        expect([status, headers.get('content-encoding')]).toEqual([200, null]);
        expect(headers.get('content-type')).toBe(served);
        expect(headers.get('content-disposition')).toBe(
          `${kind}; filename="_ 'x'.html"; filename*=UTF-8''%C3%BC%20%27x%27.html`,
        );
        expect(headers.get('x-content-type-options')).toBe('nosniff');
        expect(headers.get('content-security-policy')).toBe("sandbox; default-src 'none'");
        expect(headers.get('cache-control')).toMatch(/^private, max-age=[0-5]$/);
        expect(headers.get('etag')).toBe(`"${file.sha256}"`);
      }
    }
  });

  it('past the limit are refused while they arrive, and leave nothing behind, nor do those before them', async () => {
    const before = kept(server, home.table);
    const answer = await upload(home.owner, home.table, form('small', random(2 * MiB + 1)));
    expect([answer.status, answer.body.code]).toEqual([413, 'payload_too_large']);
    expect(kept(server, home.table)).toEqual(before);
    expect((await uploaded(home.owner, home.table, form(random(2 * MiB)))).size).toBe(2 * MiB);
  });

  it('that are endless are answered before their end', async () => {
    const status = await new Promise<number>((resolve, reject) => {
      const { hostname, port } = new URL(server.base);
      const request = http.request({
        hostname,
        port,
        method: 'POST',
        path: `/api/v1/tables/${home.table.id}/attachments`,
        headers: {
          authorization: `Bearer ${home.owner.accessToken}`,
          'content-type': 'multipart/form-data; boundary=b',
        },
      });
      let stopped = false;
      const chunk = random(64 * 1024);
      const more = (): void => {
        while (!stopped && request.write(chunk));
      };
      request.on('drain', more);
      request.once('response', (response) => {
        stopped = true;
        resolve(response.statusCode ?? 0);
        request.destroy();
      });
      request.once('error', (error) => (stopped ? undefined : reject(error)));
      request.write('--b\r\ncontent-disposition: form-data; name="file"; filename="x"\r\n\r\n');
      more();
    });
    expect(status).toBe(413);
  });

  it('of a sender who goes away leave nothing behind', async () => {
    const before = kept(server, home.table);
    const { hostname, port } = new URL(server.base);
    const socket = net.connect(Number(port), hostname);
    socket.write(
      `POST /api/v1/tables/${home.table.id}/attachments HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${home.owner.accessToken}\r\n` +
        'content-type: multipart/form-data; boundary=b\r\ncontent-length: 1000000\r\n\r\n' +
        '--b\r\ncontent-disposition: form-data; name="file"; filename="half.bin"\r\n\r\n',
    );
    socket.write(random(200_000));
    await waitFor(() => kept(server, home.table).some((name) => name.endsWith('.part')));
    socket.destroy();
    await waitFor(() => kept(server, home.table).length === before.length);
    expect(kept(server, home.table)).toEqual(before);
  });

  it.each([
    ['../../etc/passwd', 'passwd'],
    ['C:\\Users\\ada\\offer.pdf', 'offer.pdf'],
    ['  spaced  .txt ', 'spaced  .txt'],
    ['ünïcödé 📎.txt', 'ünïcödé 📎.txt'],
    ['e\u0301.txt', '\u00e9.txt'],
    ['<img src=x onerror=alert(1)>.png', '<img src=x onerror=alert(1)>.png'],
    ["a'; drop table _file; --", "a'; drop table _file; --"],
    ['x'.repeat(255), 'x'.repeat(255)],
    // Browsers, and the client of this test, send quotes as %22 and leave other percent signs alone.
    ['the "best" offer, 100%20 off %2F %0d.txt', 'the "best" offer, 100%20 off %2F %0d.txt'],
  ])('keep of the name %j no folder and no surprise', async (given, name) => {
    expect(await uploaded(home.owner, home.table, form({ content: 'x', name: given }))).toMatchObject({ name });
  });

  it.each(['..', '/', 'bell\u0007.txt', 'exe.\u202egpj', 'x'.repeat(256), 'a\u0000b', 'two\nlines.txt', 'a\r\nb'])(
    'are refused under the name %j',
    async (name) => {
      const before = kept(server, home.table);
      const { status, body } = await upload(home.owner, home.table, form({ content: 'x', name }));
      expect([status, body.errors?.[0]]).toMatchObject([422, { pointer: '/file/0', code: 'file_name_invalid' }]);
      expect(kept(server, home.table)).toEqual(before);
    },
  );

  it('come as multipart/form-data and in no other way, and that is taken nowhere else', async () => {
    const at = `/tables/${home.table.id}/attachments`;
    const refused = (answer: Answer<ProblemBody>) => [answer.status, answer.body.code, answer.headers.get('accept')];
    const multipart = [415, 'unsupported_media_type', 'multipart/form-data'];
    expect(refused(await home.owner.post(at, { file: 'x' }))).toEqual(multipart);
    expect(refused(await home.owner.post(at, '{', { 'content-type': 'application/json' }))).toEqual(multipart);
    expect(refused(await home.owner.post(at, 'x', { 'content-type': 'text/plain' }))).toEqual(multipart);
    expect(refused(await home.owner.post(at))).toEqual(multipart);
    const rows = await home.owner.post<ProblemBody>(`/tables/${home.table.id}/rows`, form('x'));
    expect(refused(rows)).toEqual([415, 'unsupported_media_type', 'application/json']);
  });

  const raw = (content: string, type = 'multipart/form-data; boundary=b') =>
    home.owner.post<ProblemBody>(`/tables/${home.table.id}/attachments`, content, { 'content-type': type });
  const part = (headers: string, content = 'x') => `--b\r\n${headers}\r\n\r\n${content}\r\n`;
  const FILE = 'content-disposition: form-data; name="file"; filename="a.txt"';

  it.each([
    ['no boundary', 400, 'bad_request', () => raw('x', 'multipart/form-data')],
    ['no parts', 400, 'bad_request', () => raw('')],
    ['something else', 400, 'bad_request', () => raw('hello')],
    ['no end', 400, 'bad_request', () => raw(part(FILE))],
    ['no end within a part', 400, 'bad_request', () => raw(`--b\r\n${FILE}\r\n\r\nhalf`)],
    ['no end within the second file', 400, 'bad_request', () => raw(`${part(FILE)}--b\r\n${FILE}\r\n\r\nhalf`)],
    ['no file', 422, 'validation_failed', () => raw('--b--\r\n')],
    [
      'a field',
      422,
      'validation_failed',
      () => raw(`${part(FILE)}${part('content-disposition: form-data; name="x"')}--b--\r\n`),
    ],
    ['a file of another name', 422, 'validation_failed', () => raw(`${part(FILE.replace('"file"', '"x"'))}--b--\r\n`)],
    [
      'a file without a name',
      422,
      'validation_failed',
      () => raw(`${part('content-disposition: form-data; name="file"')}--b--\r\n`),
    ],
    ['too many files', 422, 'limit_reached', () => raw(`${part(FILE).repeat(11)}--b--\r\n`)],
  ] as const)('with %s are refused whole', async (_what, status, code, send) => {
    const before = kept(server, home.table);
    const answer = await send();
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(kept(server, home.table)).toEqual(before);
    expect((await raw(`${part(FILE).repeat(10)}--b--\r\n`)).status).toBe(201);
  });

  it('are uploaded by editors, seen by viewers, and are not there for anybody else', async () => {
    const [editor, viewer] = [await member(home, 'editor'), await member(home, 'viewer')];
    const file = await uploaded(editor, home.table, form('x'));
    expect((await linkOf(viewer, home.table, file)).id).toBe(file.id);
    expect((await upload(viewer, home.table, form('x'))).status).toBe(403);
    const elsewhere = await world(server.base);
    expect((await upload(elsewhere.owner, home.table, form('x'))).status).toBe(404);
    for (const [table, id] of [
      [home.table, file.id],
      [elsewhere.table, file.id],
      [elsewhere.table, 'x'],
    ] as const)
      expect((await elsewhere.owner.get(`/tables/${table.id}/attachments/${id}`)).status).toBe(404);
  });

  it('have addresses that nobody can make or change, and that end', async () => {
    const { url, expiresAt } = await linkOf(home.owner, home.table, await uploaded(home.owner, home.table, form('x')));
    const token = url.split('/').at(-1) ?? '';
    const other = token.startsWith('A') ? 'B' : 'A';
    const wrong = [
      `${other}${token.slice(1)}`,
      token.slice(0, -1),
      `${token}A`,
      `${token}=`,
      'x',
      `${token.slice(0, 60)}${other}${token.slice(61)}`,
    ];
    const told = async (each: string): Promise<object> => {
      const { status, body } = await client(server.base).get<ProblemBody>(`/files/${each}`);
      return { status, code: body.code, detail: body.detail };
    };
    const answers = await Promise.all(wrong.map(told));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]).toMatchObject({ status: 404, code: 'not_found' });
    expect((await download(server.base, url)).status).toBe(200);
    await waitFor(() => Date.now() > Date.parse(expiresAt), 10_000);
    expect(await told(token)).toEqual(answers[0]);
  });
});

describe('a list of types', () => {
  it('lets in what it names and nothing else', async () => {
    const server = await startApp({ env: { FILES_TYPES: 'image/*, application/pdf' } });
    const { owner, table } = await world(server.base);
    for (const type of ['image/png', 'IMAGE/WEBP', 'application/pdf'])
      expect((await upload(owner, table, form({ content: 'x', type }))).status).toBe(201);
    for (const type of ['text/html', 'application/pdfx', '', 'images/png']) {
      const { status, body } = await upload(owner, table, form({ content: 'x', type }));
      expect([status, body.errors?.[0]?.code]).toEqual([422, 'type_not_allowed']);
    }
    expect(kept(server, table)).toHaveLength(3);
  });
});

describe('a storage that is away', () => {
  it('is a 503 of its own, and rows go on', async () => {
    const s3 = { ...(await s3Server()), endpoint: 'http://127.0.0.1:1' };
    const server = await startApp({
      config: { files: { maxBytes: MiB, types: [], urlSeconds: 900, directory: '', s3 } },
    });
    const { owner, table } = await world(server.base);
    const answer = await upload(owner, table, form('x'));
    expect([answer.status, answer.body.code]).toEqual([503, 'storage_unavailable']);
    expectStatus(await owner.post(`/tables/${table.id}/rows`, { fields: { name: 'Acme' } }), 201);
  });
});
