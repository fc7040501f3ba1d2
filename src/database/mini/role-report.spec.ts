import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { projectRoot } from '../../config/index.js';
import { complaintOf } from './role-report.js';
import { ROLE_GRANTS, ROLES } from './roles.js';

describe('the report on the roles', () => {
  it('is silent when all of them are there', () => {
    expect(complaintOf({ owner: true, app: true, readonly: true })).toBeUndefined();
  });

  it('names what is missing, and what that means', () => {
    expect(complaintOf({ owner: true, app: true, readonly: false })).toBe(
      'Without the role mini_readonly: there is no read-only sign-in for operators; docs/OPERATIONS.md says how to make it.',
    );
    expect(complaintOf({ owner: false, app: false, readonly: true })).toMatch(
      /^Without the roles mini_owner, mini_app: row statements run with the rights of an owner;/,
    );
  });
});

describe('the roles', () => {
  it.each(['docker/postgres/mini-roles.sql', 'docs/OPERATIONS.md'])('are in %s as the program expects them', (file) => {
    const text = readFileSync(path.join(projectRoot, file), 'utf8');
    for (const role of Object.values(ROLES)) expect(text).toContain(`create role ${role} nologin;`);
    for (const grant of ROLE_GRANTS) expect(text).toContain(`${grant.replace('%I', 'live_tables')};`);
  });
});
