import { randomUUID } from 'node:crypto';
import { client, expectStatus, type Client } from './client.js';

/** A password that the rules accept. */
export const PASSWORD = 'correct horse battery 9 staple';

interface SignedIn {
  readonly user: { readonly id: string; readonly email: string; readonly name: string; readonly createdAt: string };
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly tokenType: 'Bearer';
  readonly expiresIn: number;
}

/** Somebody with an account, signed in. */
export interface Person extends Client, SignedIn {
  readonly email: string;
  readonly password: string;
}

/** Registers somebody whom nobody else knows. */
export async function signup(
  base: string,
  over: Partial<Record<'email' | 'password' | 'name', string>> = {},
): Promise<Person> {
  const body = { email: `${randomUUID()}@example.org`, password: PASSWORD, name: 'Ada Lovelace', ...over };
  const signedIn = expectStatus(await client(base).post<SignedIn>('/auth/register', body), 201);
  return { ...client(base, signedIn.accessToken), ...signedIn, email: body.email, password: body.password };
}

export interface Column {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly unique: boolean;
  readonly default: unknown;
  readonly options: Readonly<Record<string, unknown>>;
  readonly position: number;
}

export interface Table {
  readonly id: string;
  readonly baseId: string;
  readonly workspaceId: string;
  readonly key: string;
  readonly name: string;
  readonly schemaVersion: number;
  readonly columns: readonly Column[];
  readonly physical: { readonly schema: string; readonly table: string };
}

export interface Row {
  readonly id: string;
  readonly version: number;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** The body of every refusal. */
export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail?: string;
  readonly requestId?: string;
  readonly errors?: readonly { readonly pointer: string; readonly code: string; readonly detail: string }[];
}

/** Columns of every core type. */
export const CORE_COLUMNS = [
  { name: 'Name', type: 'text', required: true },
  { name: 'Amount', type: 'decimal', options: { scale: 2 } },
  { name: 'Qty', type: 'integer' },
  { name: 'Active', type: 'boolean' },
  { name: 'Due', type: 'date' },
  { name: 'Seen', type: 'datetime' },
  { name: 'Notes', type: 'long_text' },
  {
    name: 'Status',
    type: 'single_select',
    options: { choices: [{ label: 'Open' }, { label: 'Won' }, { label: 'Lost' }] },
  },
] as const;

export interface Workspace {
  readonly id: string;
  readonly name: string;
  readonly slug: string;
  readonly role: string;
}

/** An owner with a workspace, a base and a table to play with. */
export interface World {
  readonly owner: Person;
  readonly workspace: Workspace;
  readonly base: { readonly id: string; readonly name: string };
  readonly table: Table;
}

export async function world(
  base: string,
  { columns = CORE_COLUMNS }: { readonly columns?: readonly object[] } = {},
): Promise<World> {
  const owner = await signup(base);
  const workspace = expectStatus(await owner.post<Workspace>('/workspaces', { name: 'Acme' }), 201);
  const made = expectStatus(await owner.post<World['base']>(`/workspaces/${workspace.id}/bases`, { name: 'CRM' }), 201);
  const table = expectStatus(await owner.post<Table>(`/bases/${made.id}/tables`, { name: 'Deals', columns }), 201);
  return { owner, workspace, base: made, table };
}

/** Somebody new in the world's workspace, with this role. */
export async function member(
  { owner, workspace }: Pick<World, 'owner'> & { readonly workspace: Pick<Workspace, 'id'> },
  role: 'owner' | 'admin' | 'editor' | 'viewer',
): Promise<Person> {
  const person = await signup(owner.base);
  expectStatus(await owner.post(`/workspaces/${workspace.id}/members`, { email: person.email, role }), 201);
  return person;
}
