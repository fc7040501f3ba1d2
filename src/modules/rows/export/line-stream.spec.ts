import { describe, expect, it } from '@jest/globals';
import { Problem } from '../../../common/index.js';
import { LineStream, type TextSource } from './line-stream.js';

function source(texts: readonly string[]): TextSource & { closed: number; asked: number } {
  const left = [...texts];
  const self = {
    closed: 0,
    asked: 0,
    next: () => {
      self.asked++;
      return Promise.resolve(left.shift());
    },
    close: () => {
      self.closed++;
      return Promise.resolve();
    },
  };
  return self;
}
const ended = (stream: LineStream): Promise<Error | undefined> =>
  new Promise((resolve) => {
    let failed: Error | undefined;
    stream.once('error', (error: Error) => (failed = error)).once('close', () => resolve(failed));
  });

describe('a stream of lines', () => {
  it('gives all texts and closes the source once', async () => {
    const texts = source(['a\n', 'ä\n']);
    let read = '';
    for await (const chunk of new LineStream(texts)) read += String(chunk);
    expect([read, texts.closed]).toEqual(['a\nä\n', 1]);
  });

  it('asks for no more than its reader takes', async () => {
    const texts = source(Array.from({ length: 1_000 }, () => 'x'.repeat(64 * 1024)));
    const stream = new LineStream(texts);
    stream.read(0);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(texts.asked).toBeLessThan(4);
    stream.destroy();
    await ended(stream);
    expect(texts.closed).toBe(1);
  });

  it('is cut off when its reader takes nothing any more, also when it never did', async () => {
    for (const begin of [true, false]) {
      const texts = source(Array.from({ length: 1_000 }, () => 'x'.repeat(64 * 1024)));
      const stream = new LineStream(texts, undefined, 20);
      const end = ended(stream);
      if (begin) stream.read(0);
      expect((await end)?.message).toMatch(/takes nothing/);
      expect(texts.closed).toBe(1);
    }
  });

  it('is cut off when its reader may not read any more, of which it asks now and then', async () => {
    const texts = source(Array.from({ length: 1_000 }, () => 'x'.repeat(64 * 1024)));
    let [now, asked] = [0, 0];
    const refused = new Problem('not_found');
    const says = [undefined, new Error('the database is away'), refused];
    const stillAllowed = (): Promise<unknown> => {
      const error = says[asked++];
      return error ? Promise.reject(error) : Promise.resolve();
    };
    const stream = new LineStream(texts, stillAllowed, undefined, () => now);
    const end = ended(stream);
    stream.on('data', () => (now += 500));
    expect(await end).toBe(refused);
    expect([asked, texts.closed]).toEqual([3, 1]);
    expect(texts.asked).toBeGreaterThanOrEqual(8);
    expect(texts.asked).toBeLessThanOrEqual(11);
  });

  it('fails with the source', async () => {
    const texts = { ...source([]), next: () => Promise.reject(new Error('gone')) };
    const stream = new LineStream(texts);
    const end = ended(stream);
    stream.read(0);
    expect((await end)?.message).toBe('gone');
  });
});
