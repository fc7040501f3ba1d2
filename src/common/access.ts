import type { Id } from './ids.js';

/** Workspace roles, strongest first. A role may all that a weaker one may. */
export const ROLES = ['owner', 'admin', 'editor', 'viewer'] as const;
export type Role = (typeof ROLES)[number];

/** What the edge knows of one call; goes into the audit log and the change log. */
export interface RequestMeta {
  readonly requestId: string;
  readonly ip: string;
  readonly userAgent: string;
  /** From `X-Client-Id`; lets a client skip its own echo in live events. */
  readonly clientId?: string;
}

/** What a personal token may be used for, weakest first; each includes the weaker ones. */
export const TOKEN_SCOPES = ['read', 'write', 'manage'] as const;
export type TokenScope = (typeof TOKEN_SCOPES)[number];

/** What a personal token leaves of its person's rights. It never adds any. */
export interface TokenGrant {
  readonly scope: TokenScope;
  /** The only workspaces that it leads to; null: all of its person's. */
  readonly workspaceIds: readonly Id[] | null;
}

/** Who calls: a signed-in person, or a program with a personal token of that person. */
export interface Principal {
  readonly userId: Id;
  /** Of the session, or of the personal token: what is revoked to end this. */
  readonly sessionId: Id;
  /** Present for a personal token only. */
  readonly token?: TokenGrant;
  readonly name: string;
  readonly email: string;
  /** End of the access token, or of the personal one, seconds since the epoch. */
  readonly expiresAt: number;
}

/** Who somebody is in a workspace. */
export interface Member {
  /** Of the membership. */
  readonly id: Id;
  /** What is known of the member by name; rules of tables may depend on it. */
  readonly attributes: Readonly<Record<string, string | number | boolean | readonly (string | number | boolean)[]>>;
}

/** The right to act in one workspace, as found by the access guard. Everything below a controller takes this, never a bare user id. */
export interface Access {
  readonly principal: Principal;
  readonly workspaceId: Id;
  readonly role: Role;
  readonly member: Member;
  /** Time zone (IANA) that the workspace counts its days in. */
  readonly timeZone: string;
  readonly request: RequestMeta;
}

/** The caller of a route outside any workspace. */
export interface Caller {
  readonly principal: Principal;
  readonly request: RequestMeta;
}
