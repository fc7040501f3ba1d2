import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { MiniDatabase } from './mini-database.js';
import { FIND_ROLES, ROLES, type RolesFound } from './roles.js';

/** Says once, at the start, which roles for operators are missing. Nothing depends on them. */
@Injectable()
export class RoleReport implements OnApplicationBootstrap {
  private readonly logger = new Logger('Mini database');

  constructor(private readonly database: MiniDatabase) {}

  async onApplicationBootstrap(): Promise<void> {
    try {
      const [row] = await this.database.query(FIND_ROLES);
      const [owner, app, readonly] = (row ?? []).map((found) => found === 't');
      const complaint = complaintOf({ owner: owner === true, app: app === true, readonly: readonly === true });
      if (complaint !== undefined) this.logger.warn(complaint);
    } catch {
      // The database is away; health says so.
    }
  }
}

const HOW = 'docs/OPERATIONS.md says how to make';

/** What a person should know, or undefined. */
export function complaintOf(found: RolesFound): string | undefined {
  const missing = (Object.keys(ROLES) as (keyof typeof ROLES)[]).filter((role) => !found[role]);
  if (missing.length === 0) return undefined;
  const names = missing.map((role) => ROLES[role]).join(', ');
  return `Without the role${missing.length > 1 ? 's' : ''} ${names}: ${[
    ...(found.readonly ? [] : ['there is no read-only sign-in for operators']),
    ...(found.owner && found.app ? [] : ['row statements run with the rights of an owner']),
  ].join(', and ')}; ${HOW} ${missing.length > 1 ? 'them' : 'it'}.`;
}
