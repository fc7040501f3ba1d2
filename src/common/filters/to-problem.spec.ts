import { ForbiddenException, HttpException, NotFoundException } from '@nestjs/common';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { QueryRunnerAlreadyReleasedError } from 'typeorm';
import { ERRORS, Problem } from '../errors/index.js';
import { toProblem } from './to-problem.js';

const coded = (code: string, message = 'details that must not leak') => Object.assign(new Error(message), { code });

describe('what was thrown becomes a problem', () => {
  it('that it is already', () => {
    const problem = new Problem('name_taken');
    expect(toProblem(problem)).toBe(problem);
  });

  it.each([
    [new NotFoundException('x'), 'not_found'],
    [new ForbiddenException(), 'forbidden'],
    [new HttpException('slow down', 429), 'rate_limited'],
    [new HttpException('teapot', 418), 'bad_request'],
    [new HttpException('?', 502), 'internal_error'],
    [new HttpException('big', 413, { cause: coded('FST_ERR_CTP_BODY_TOO_LARGE') }), 'payload_too_large'],
    [coded('FST_ERR_BAD_URL'), 'bad_request'],
    [coded('FST_ERR_MAX_PARAM_LENGTH'), 'route_not_found'],
    // A client that went away while it sent its body looks like a broken database connection, but for its status.
    [Object.assign(coded('ECONNRESET', 'aborted'), { statusCode: 400 }), 'bad_request'],
    [coded('ECONNREFUSED'), 'database_unavailable'],
    [new AggregateError([coded('ECONNREFUSED'), coded('ECONNREFUSED')]), 'database_unavailable'],
    [Object.assign(new Error('QueryFailedError'), { driverError: coded('57P01') }), 'database_unavailable'],
    [new Error('wrapped', { cause: coded('08006') }), 'database_unavailable'],
    [coded('53300'), 'database_unavailable'],
    [coded('57P03'), 'database_unavailable'],
    [new Error('timeout exceeded when trying to connect'), 'database_unavailable'],
    [new Error('Connection terminated due to connection timeout'), 'database_unavailable'],
    [new Error('Query read timeout'), 'database_unavailable'],
    // Regression: a connection of a transaction that broke between two statements ended in a 500.
    [new QueryRunnerAlreadyReleasedError(), 'database_unavailable'],
    [coded('40001'), 'overloaded'],
    [coded('57014'), 'overloaded'],
    [coded('23505'), 'internal_error'],
    [coded('42P01'), 'internal_error'],
    [new TypeError('x is not a function'), 'internal_error'],
    ['a string', 'internal_error'],
    [undefined, 'internal_error'],
  ] as const)('%s → %s', (error, code) => {
    const problem = toProblem(error);
    expect(problem.code).toBe(code);
    expect(problem.status).toBe(ERRORS[code].status);
  });

  // Regression: an export, which has a connection of its own, was a 500 where PostgreSQL was too busy to take it in time.
  it('that the database is away where it does not answer in time, whoever connects to it', async () => {
    const silent = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const settings = { host: '127.0.0.1', port, connectionTimeoutMillis: 50 };
    const failed = (work: Promise<unknown>) => work.then(() => undefined).catch((error: unknown) => error);
    for (const error of [
      await failed(new pg.Client(settings).connect()),
      await failed(new pg.Pool(settings).query('select 1')),
    ])
      expect(toProblem(error)).toMatchObject({ code: 'database_unavailable', status: 503 });
    silent.close();
  });

  it('keeps the cause for the log and tells the caller nothing of it', () => {
    const cause = coded('23505', 'duplicate key value violates unique constraint "users_email"');
    const problem = toProblem(cause);
    expect(problem.cause).toBe(cause);
    expect(JSON.stringify(problem.body())).not.toContain('users_email');
  });

  it('says when to come back while the database is away', () => {
    expect(toProblem(coded('ECONNREFUSED')).headers).toEqual({ 'retry-after': '1' });
  });
});
