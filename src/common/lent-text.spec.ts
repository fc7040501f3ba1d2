import v8 from 'node:v8';
import vm from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { JsonText } from './answer.js';
import { Lender } from './lent-text.js';

/** A text of a lender with 8 bytes in front of it. */
function lent(lender: Lender, text: string) {
  const memory = lender.take();
  return lender.lend(memory, 8, 8 + memory.write(text, 8));
}

describe('a text that is lent', () => {
  it('is there until it is given back, in its memory with what is put around it', () => {
    const text = lent(new Lender(32, 1), 'größe');
    expect([text.size, String(text)]).toEqual([7, 'größe']);
    const bytes = text.within('<ä>', '</>');
    expect(bytes.toString()).toBe('<ä>größe</>');
    expect([String(text), bytes.buffer.byteLength]).toEqual(['größe', 32]);
    text.giveBack();
    expect(() => text.within('', '')).toThrow('given back');
    expect(() => String(text)).toThrow('given back');
    text.giveBack();
  });

  it('is copied where there is no room around it', () => {
    const text = lent(new Lender(32, 1), 'abc');
    expect(text.within('123456789', '.').toString()).toBe('123456789abc.');
    expect(text.within('<', '.'.repeat(22)).toString()).toBe(`<abc${'.'.repeat(22)}`);
    expect(text.within('<', '.'.repeat(21)).toString()).toBe(`<abc${'.'.repeat(21)}`);
    expect(String(text)).toBe('abc');
  });

  it('stands in memory that nobody else has meanwhile, and that the next one gets', () => {
    const lender = new Lender(32, 2);
    const one = lent(lender, 'one');
    const memory = one.within('', '').buffer;
    const two = lent(lender, 'two');
    expect([String(one), String(two), lender.canLend]).toEqual(['one', 'two', false]);
    expect(two.within('', '').buffer).not.toBe(memory);
    one.giveBack();
    one.giveBack();
    expect(lender.canLend).toBe(true);
    expect(lent(lender, 'three').within('', '').buffer).toBe(memory);
    expect([String(two), lender.canLend]).toEqual(['two', false]);
  });

  it('counts no longer when whoever had it has gone with it', async () => {
    v8.setFlagsFromString('--expose-gc');
    const collect = vm.runInNewContext('gc') as () => void;
    const lender = new Lender(32, 3);
    for (let i = 0; i < 3; i++) lent(lender, 'lost');
    expect(lender.canLend).toBe(false);
    while (!lender.canLend) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }, 60_000);

  it('is a piece of an answer', () => {
    const made = (around: readonly [string, string]) => {
      const text = lent(new Lender(64, 1), '"ä", "b"');
      return { text, answer: new JsonText([around[0], text, around[1]]) };
    };
    for (const around of [
      ['[', ']'],
      ['{"data": [', '], "ö": 1}'],
      ['', '.'.repeat(100)],
    ] as const) {
      const { text, answer } = made(around);
      const whole = `${around[0]}"ä", "b"${around[1]}`;
      expect([answer.text, answer.isLent]).toEqual([whole, true]);
      expect(answer.toBytes().toString()).toBe(whole);
      expect(answer.size).toBe(Buffer.byteLength(whole));
      answer.giveBack();
      expect(() => String(text)).toThrow('given back');
    }
    const { text } = made(['', '']);
    const two = new JsonText([text, ',', text]);
    expect(two.toBytes().toString()).toBe('"ä", "b","ä", "b"');
    expect(new JsonText(['[', ']']).isLent).toBe(false);
  });
});
