import { describe, expect, it } from '@jest/globals';
import { mayConnect } from './origin.js';

const may = (headers: Record<string, string>, { allowed = [] as string[], behindProxy = false } = {}): boolean =>
  mayConnect({ headers }, { allowed, behindProxy });

describe('the origin of a handshake', () => {
  it.each([
    ['no browser', {}],
    ['the own host', { origin: 'http://tables.example', host: 'tables.example' }],
    ['the own host and port', { origin: 'http://localhost:3000', host: 'localhost:3000' }],
    ['TLS that a proxy ends', { origin: 'https://tables.example', host: 'tables.example' }],
    ['the default port', { origin: 'https://tables.example', host: 'tables.example:443' }],
    ['capital letters', { origin: 'http://tables.example', host: 'Tables.Example' }],
    ['IPv6', { origin: 'http://[::1]:3000', host: '[::1]:3000' }],
  ])('may be %s', (_, headers) => {
    expect(may(headers)).toBe(true);
  });

  it.each([
    ['another host', { origin: 'http://evil.example', host: 'tables.example' }],
    ['another port', { origin: 'http://localhost:8080', host: 'localhost:3000' }],
    ['a longer name', { origin: 'http://tables.example.evil.example', host: 'tables.example' }],
    ['a host without a page', { origin: 'null', host: 'null' }],
    ['another scheme', { origin: 'file://tables.example', host: 'tables.example' }],
    ['an origin with a path', { origin: 'http://tables.example/', host: 'tables.example' }],
    ['a host with a person', { origin: 'http://evil.example', host: 'tables.example@evil.example' }],
    ['a host with a path', { origin: 'http://evil.example', host: 'evil.example/tables.example' }],
    ['no host', { origin: 'http://tables.example' }],
  ])('may not be %s', (_, headers) => {
    expect(may(headers as Record<string, string>)).toBe(false);
  });

  it('is compared with what the proxy was called, where there is one, and never else', () => {
    const headers = { origin: 'https://tables.example', host: 'node-1:3000', 'x-forwarded-host': 'x, tables.example' };
    expect(may(headers, { behindProxy: true })).toBe(true);
    expect(may(headers)).toBe(false);
    expect(may({ ...headers, 'x-forwarded-host': 'tables.example, x' }, { behindProxy: true })).toBe(false);
  });

  it('may be any that is allowed, or any at all', () => {
    const headers = { origin: 'https://app.example', host: 'tables.example' };
    expect(may(headers, { allowed: ['https://app.example'] })).toBe(true);
    expect(may(headers, { allowed: ['*'] })).toBe(true);
    expect(may(headers, { allowed: ['https://app.example.org'] })).toBe(false);
  });
});
