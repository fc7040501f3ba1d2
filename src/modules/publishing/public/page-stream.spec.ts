import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { PageStream } from './page-stream.js';

const textOf = (stream: PageStream): string => ((stream.read() as Buffer | null) ?? '').toString();

describe('a stream of pages', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('has a comment every 15 s, whatever else it sends, until it is closed', () => {
    const closed = jest.fn();
    const stream = new PageStream(closed);
    expect(textOf(stream)).toBe('retry: 2000\n\n');
    jest.advanceTimersByTime(14_999);
    expect(textOf(stream)).toBe('');
    jest.advanceTimersByTime(1);
    expect(textOf(stream)).toBe(': \n\n');
    stream.send('data', 'x', '{"data":[],\n"page":{}}');
    expect(textOf(stream)).toBe('id: x\nevent: data\ndata: {"data":[],\ndata: "page":{}}\n\n');
    jest.advanceTimersByTime(30_000);
    expect(textOf(stream)).toBe(': \n\n: \n\n');
    expect(jest.getTimerCount()).toBe(1);
    stream.destroy();
    stream.send('data', 'y', '{}');
    jest.runAllTicks();
    expect([textOf(stream), jest.getTimerCount(), closed.mock.calls.length]).toEqual(['', 0, 1]);
  });
});
