import { describe, expect, it } from '@jest/globals';
import { Answers, type WrittenPage } from './answers.js';

const page = (text: string): WrittenPage => ({ body: Buffer.from(text), rows: 1, at: 0, databaseMs: 0 });

describe('answers that are kept', () => {
  it('are of one state of the data, and make room for those of the next', () => {
    const answers = new Answers();
    answers.keep('q', page('one'), 's1');
    expect(answers.find('q', 's1')?.body.toString()).toBe('one');
    expect(answers.find('q', 's2')).toBeUndefined();
    for (let i = 2; i <= 1_000; i++) answers.keep('q', page(`answer ${i}`), `s${i}`);
    expect(answers.size).toBe(1);
    expect(answers.find('q', 's1')).toBeUndefined();
    expect(answers.find('q', 's1000')?.body.toString()).toBe('answer 1000');
    // What has no state is none of them.
    expect(answers.find('q')).toBeUndefined();
    expect([answers.hits, answers.misses]).toEqual([2, 3]);
  });

  it('are made once for all who want the same of the same state, and apart for another one', async () => {
    const answers = new Answers();
    let made = 0;
    const ends: (() => void)[] = [];
    const make = async (): Promise<WrittenPage> => {
      made += 1;
      const text = `made ${made}`;
      await new Promise<void>((resolve) => ends.push(resolve));
      return page(text);
    };
    const asked = [answers.share('q', make, 's1'), answers.share('q', make, 's1'), answers.share('q', make, 's2')];
    // The older one ends last, and takes the place; it is not taken for the newer one.
    for (const end of ends.reverse()) {
      end();
      await Promise.resolve();
    }
    expect((await Promise.all(asked)).map(({ body }) => body.toString())).toEqual(['made 1', 'made 1', 'made 2']);
    expect(answers.size).toBe(1);
    expect(answers.find('q', 's2') ?? answers.find('q', 's1')).toBeDefined();
  });
});
