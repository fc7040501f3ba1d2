import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { byteRange } from './download/byte-range.js';
import { contentDisposition, servedType } from './download/content-headers.js';
import { FileLinks } from './download/file-links.js';
import { cleanFileName } from './file-name.js';
import { cleanMediaType, isAllowed } from './media-type.js';
import { Meter } from './upload/meter.js';
import type { AppConfig } from '../../config/index.js';

describe('the name of a file', () => {
  it('is none or is text of one line without folders, whatever was sent', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (given) => {
        const name = cleanFileName(given);
        if (name === undefined) return;
        expect(name).not.toMatch(/[\\/\p{Cc}]|^\.+$|^$/u);
        expect([...name].length).toBeLessThanOrEqual(255);
        expect(cleanFileName(name)).toBe(name);
      }),
    );
  });

  it.each([undefined, '', ' ', '.', '..', 'a/', '\ud800', 'a\u202eb', 'a\nb', 'x'.repeat(256)])(
    'is not %j',
    (given) => {
      expect(cleanFileName(given)).toBeUndefined();
    },
  );
});

describe('Content-Disposition', () => {
  it('is ASCII that cannot break out, and holds the whole name for those who read RFC 8187', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 300 }), (given) => {
        const name = cleanFileName(given);
        if (name === undefined) return;
        const header = contentDisposition('attachment', name);
        const [, fallback, encoded = ''] =
          /^attachment; filename="([^"\\%]*)"; filename\*=UTF-8''([\w!#$&+.^`|~%-]*)$/.exec(header) ?? [];
        expect(fallback).toMatch(/^[\x20-\x7e]*$/);
        expect(decodeURIComponent(encoded)).toBe(name);
      }),
    );
  });

  it('keeps a plain name plain', () => {
    expect(contentDisposition('inline', 'offer 1.pdf')).toBe(
      `inline; filename="offer 1.pdf"; filename*=UTF-8''offer%201.pdf`,
    );
  });
});

describe('a media type', () => {
  it.each([
    ['IMAGE/PNG', 'image/png'],
    ['text/plain; charset=utf-8', 'text/plain'],
    [undefined, 'application/octet-stream'],
    ['nonsense', 'application/octet-stream'],
    ['a/b\r\nx: y', 'application/octet-stream'],
    [`a/${'b'.repeat(200)}`, 'application/octet-stream'],
  ])('%j is kept as %s', (given, kept) => {
    expect(cleanMediaType(given)).toBe(kept);
  });

  it('is allowed by its name, by its family, and by an empty list', () => {
    expect(isAllowed('image/png', ['image/*'])).toBe(true);
    expect(isAllowed('image/png', ['image/png'])).toBe(true);
    expect(isAllowed('image/png', [])).toBe(true);
    expect(isAllowed('imagex/png', ['image/*'])).toBe(false);
    expect(isAllowed('image/svg+xml', ['image/png', 'text/*'])).toBe(false);
  });

  it.each(['text/html', 'image/svg+xml', 'application/javascript', 'application/xhtml+xml', 'text/xml'])(
    '%s, which browsers may run, does not go out',
    (type) => {
      expect(servedType(type)).toBe('application/octet-stream');
    },
  );
});

describe('a range of 100 bytes', () => {
  it.each([
    ['bytes=0-0', { start: 0, end: 0 }],
    ['bytes=10-', { start: 10, end: 99 }],
    ['bytes=10-500', { start: 10, end: 99 }],
    ['bytes=-10', { start: 90, end: 99 }],
    ['bytes=-500', { start: 0, end: 99 }],
    ['Bytes=99-', { start: 99, end: 99 }],
    ['bytes=100-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=5-4', undefined],
    ['bytes=-', undefined],
    ['bytes=0-1,5-6', undefined],
    ['rows=0-1', undefined],
    ['bytes=x-y', undefined],
    [undefined, undefined],
  ])('%s', (header, range) => {
    expect(byteRange(header, 100)).toEqual(range);
  });

  it('of nothing cannot be had', () => {
    expect(byteRange('bytes=0-', 0)).toBe('unsatisfiable');
    expect(byteRange('bytes=-1', 0)).toBe('unsatisfiable');
  });
});

describe('an address of a file', () => {
  const config = (key: Buffer, urlSeconds = 60, previousEncryptionKeys: readonly Buffer[] = []) =>
    ({ encryptionKey: key, previousEncryptionKeys, files: { urlSeconds } }) as unknown as AppConfig;
  const key = randomBytes(32);
  const tokenOf = ({ url }: { readonly url: string }): string => url.split('/').at(-1) ?? '';

  it('opens on every node of the installation, and on no other', () => {
    const token = tokenOf(new FileLinks(config(key)).make('crm_k3f9a2', '01982c5e'));
    expect(new FileLinks(config(key)).open(token)).toMatchObject({ schema: 'crm_k3f9a2', fileId: '01982c5e' });
    expect(new FileLinks(config(randomBytes(32))).open(token)).toBeUndefined();
  });

  it('opens after the key was changed, as long as the former one is known', () => {
    const token = tokenOf(new FileLinks(config(key)).make('crm_k3f9a2', '01982c5e'));
    expect(new FileLinks(config(randomBytes(32), 60, [key])).open(token)).toMatchObject({ fileId: '01982c5e' });
  });

  it('does not open when it is too old, or any of its characters is another', () => {
    expect(new FileLinks(config(key)).open(tokenOf(new FileLinks(config(key, -1)).make('a', 'b')))).toBeUndefined();
    const links = new FileLinks(config(key));
    const token = tokenOf(links.make('crm_k3f9a2', '01982c5e'));
    for (const at of [...token].keys()) {
      const other = token[at] === 'A' ? 'B' : 'A';
      expect(links.open(token.slice(0, at) + other + token.slice(at + 1))).toBeUndefined();
    }
  });
});

describe('the meter', () => {
  it('counts, hashes and lets through', async () => {
    const [meter, bytes] = [new Meter(100_000), randomBytes(100_000)];
    meter.end(bytes);
    const through = Buffer.concat((await meter.toArray()) as Buffer[]);
    expect(through.equals(bytes)).toBe(true);
    expect([meter.count, meter.sha256()]).toEqual([100_000, createHash('sha256').update(bytes).digest('hex')]);
  });

  it('fails with the first byte past the limit', async () => {
    const meter = new Meter(9);
    meter.end(Buffer.alloc(10));
    await expect(meter.toArray()).rejects.toMatchObject({ code: 'payload_too_large' });
  });
});
