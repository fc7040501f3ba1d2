import { describe, expect, it } from '@jest/globals';
import { auditContent } from './audit-content.js';

const SECRET = 'hunter2-hunter2';

describe('what the audit log keeps', () => {
  it('is what was given, when nothing speaks against it', () => {
    const given = { name: 'Åcme', columns: [{ key: 'a', options: { choices: [{ label: 'Open' }] } }], none: null };
    expect(auditContent(given)).toEqual(given);
    expect(auditContent(undefined)).toBeNull();
  });

  it.each([
    { password: SECRET },
    { passwordHash: SECRET },
    { TOKEN: SECRET },
    { refresh_token: [SECRET] },
    { secret: { inner: SECRET } },
    { headers: [{ Authorization: SECRET }, { cookie: SECRET }] },
    { connection: { options: { apiKey: SECRET, 'api-key': SECRET, credentials: [SECRET] } } },
    { __proto__x: JSON.parse(`{"__proto__":{"password":"${SECRET}"}}`) as object },
    { hidden: { toJSON: () => ({ deeper: { password: SECRET } }) } },
    { error: Object.assign(new Error('x'), { password: SECRET }) },
    Object.assign(new Error('x'), { token: SECRET }),
    nested(40, { password: SECRET }),
    nested(200, { password: SECRET }),
  ])('holds no secret, however it is wrapped: %j', (hostile: object) => {
    expect(JSON.stringify(auditContent({ kept: 1, hostile }))).not.toContain(SECRET);
    expect(auditContent({ kept: 1, hostile })).toHaveProperty('kept', 1);
  });

  it('tells only the size of what is larger than 64 KiB', () => {
    expect(auditContent({ note: 'é'.repeat(32_000) })).toHaveProperty('note');
    expect(auditContent({ note: 'é'.repeat(33_000) })).toEqual({ omitted: 'too_large', bytes: 66_011 });
    expect(auditContent({ password: 'x'.repeat(100_000), name: 'a' })).toHaveProperty('name', 'a');
  });
});

function nested(levels: number, inner: object): object {
  return levels === 0 ? inner : { down: nested(levels - 1, inner) };
}
