import { describe, expect, it } from '@jest/globals';
import type { AppRequest } from '../http.js';
import { createLogger } from './logger.js';
import { requestLog } from './request-log.js';

interface Case {
  readonly url: string;
  readonly route?: string;
  readonly status?: number;
  readonly ms?: number;
  readonly everything?: boolean;
}

/** The line that a request leaves in the log, if any. */
function lineOf({
  url,
  route = url,
  status = 200,
  ms = 1,
  everything = true,
}: Case): Record<string, unknown> | undefined {
  const lines: string[] = [];
  const logger = createLogger({ level: 'info', readable: false }, { write: (line) => void lines.push(line) });
  const request = {
    id: 'r1',
    method: 'GET',
    url,
    routeOptions: { url: route },
    principal: { userId: 'u1' },
    access: { workspaceId: 'w1' },
  };
  const reply = { statusCode: status, elapsedTime: ms };
  requestLog(logger, everything)(request as unknown as AppRequest, reply);
  return lines[0] === undefined ? undefined : (JSON.parse(lines[0]) as Record<string, unknown>);
}

describe('the line of a request', () => {
  it('says who asked what, and how it went', () => {
    expect(lineOf({ url: '/api/v1/tables/1', route: '/api/v1/tables/:tableId', status: 404, ms: 2.345 })).toMatchObject(
      {
        level: 'info',
        requestId: 'r1',
        method: 'GET',
        route: '/api/v1/tables/:tableId',
        url: '/api/v1/tables/1',
        status: 404,
        ms: 2.3,
        userId: 'u1',
        workspaceId: 'w1',
      },
    );
  });

  it('is an error when the fault is ours', () => {
    expect(lineOf({ url: '/x', status: 503 })).toMatchObject({ level: 'error' });
  });

  it('holds no secret of the query or of the path', () => {
    expect(JSON.stringify(lineOf({ url: '/x?token=s3cret&a=1', route: '/x' }))).not.toContain('s3cret');
    const invitation = lineOf({ url: '/invitations/s3cret/accept?x=1', route: '/invitations/:token/accept' });
    expect(JSON.stringify(invitation)).not.toContain('s3cret');
  });

  it('holds no token, wherever one was put and whether or not a route knows of it', () => {
    const token = 'Vb3n0kJ1rj0m0H2mQe1o0rZ8d2y1t1u4w7p9s6a5c3E';
    for (const url of [
      `/invitations/${token}`,
      `//invitations//${token}/`,
      `/API/v1/Invitations/${token}/accept/x`,
      `/x?%74oken=${token}`,
      `/x?cursor=${token}`,
    ])
      expect(JSON.stringify(lineOf({ url, route: '*' }))).not.toContain(token);
    const id = '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11';
    expect(lineOf({ url: `/tables/${id}/rows`, route: '/tables/:tableId/rows' })?.url).toBe(`/tables/${id}/rows`);
  });

  it('is written in development only for what failed or was slow', () => {
    expect(lineOf({ url: '/x', everything: false })).toBeUndefined();
    expect(lineOf({ url: '/x', everything: false, status: 400 })).toBeDefined();
    expect(lineOf({ url: '/x', everything: false, ms: 1500 })).toBeDefined();
  });
});
