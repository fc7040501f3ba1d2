import { describe, expect, it } from '@jest/globals';
import { createLogger } from './logger.js';
import { NestLogger } from './nest-logger.js';
import { readable } from './readable.js';
import { REDACTED, safeUrl } from '../redact.js';

function loggerInto(lines: string[]): NestLogger {
  return new NestLogger(createLogger({ level: 'info', readable: false }, { write: (line) => void lines.push(line) }));
}

function logged(use: (logger: NestLogger) => void): Record<string, unknown> {
  const lines: string[] = [];
  use(loggerInto(lines));
  return JSON.parse(lines.join('')) as Record<string, unknown>;
}

describe('the log', () => {
  it('takes a text with its context', () => {
    expect(logged((logger) => logger.log('Connected', 'Redis'))).toMatchObject({
      level: 'info',
      msg: 'Connected',
      context: 'Redis',
    });
  });

  it('hides values under names that smell of secrets, at any depth', () => {
    const line = logged((logger) =>
      logger.warn({
        msg: 'x',
        headers: { authorization: 'Bearer abc', cookie: 'sid=abc', accept: '*/*' },
        body: { password: 'abc', user: { refreshToken: 'abc', apiKey: 'abc' } },
      }),
    );
    expect(JSON.stringify(line)).not.toContain('abc');
    expect(line).toMatchObject({ headers: { authorization: REDACTED, accept: '*/*' } });
  });

  it('shows of an error its kind, text, code and causes, and never the statement, its parameters or the row', () => {
    const driver = Object.assign(new Error('duplicate key'), { code: '23505', detail: 'Key (email)=(a@b.co) exists' });
    const error = Object.assign(new Error('query failed', { cause: driver }), {
      query: 'insert …',
      parameters: ['$argon2id$'],
    });
    const line = logged((logger) => logger.error({ msg: 'failed', err: error }));
    expect(line.err).toMatchObject({
      type: 'Error',
      message: 'query failed',
      cause: { code: '23505', message: 'duplicate key' },
    });
    expect(JSON.stringify(line)).not.toMatch(/argon2id|a@b\.co|insert …/);
  });

  it('keeps quiet about what Nest tells at every start', () => {
    const lines: string[] = [];
    loggerInto(lines).log('Mapped {/, GET} route', 'RouterExplorer');
    expect(lines).toEqual([]);
  });

  it.each([
    ['/a/b', '/a/b'],
    ['/a?token=abc&limit=3', `/a?token=${REDACTED}&limit=3`],
    ['/a?x=1&access_token=abc', `/a?x=1&access_token=${REDACTED}`],
    [`/a/ltp_${'aB3-_'.repeat(13)}/b`, `/a/${REDACTED}/b`],
    ['/a?PASSWORD=abc', `/a?PASSWORD=${REDACTED}`],
    ['/a?filter=and(a.eq.1)', '/a?filter=and(a.eq.1)'],
  ])('writes the URL %s as %s', (url, safe) => {
    expect(safeUrl(url)).toBe(safe);
  });

  it('is short in a terminal', () => {
    const line = {
      level: 30,
      time: Date.UTC(2026, 0, 1, 12),
      method: 'GET',
      url: '/api/v1/x',
      status: 404,
      ms: 2.3,
      requestId: 'r',
    };
    expect(readable(JSON.stringify(line))).toBe('12:00:00.000  INFO GET /api/v1/x 404 2.3 ms requestId=r\n');
  });
});
