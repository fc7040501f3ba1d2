import { expectStatus, signup, type Answer, type Client, type Person, type Row, type Table } from '../harness/index.js';
import type { rowsFixture } from './rows.js';

export interface Rules {
  readonly version: number;
  readonly rules: readonly object[];
  readonly problems: readonly { readonly pointer: string; readonly detail: string }[];
}

/** Somebody with a role in the workspace, and the membership. */
export interface MemberOf extends Person {
  readonly memberId: string;
}

/** A new person in the workspace. */
export async function member(owner: Person, workspaceId: string, role: string): Promise<MemberOf> {
  const person = await signup(owner.base);
  const { id } = expectStatus(
    await owner.post<{ id: string }>(`/workspaces/${workspaceId}/members`, { email: person.email, role }),
    201,
  );
  return { ...person, memberId: id };
}

/** Gives a table these rules in the place of those that it has. */
export const putRules = async (by: Client, { id }: Table, ...rules: readonly object[]): Promise<Rules> =>
  expectStatus(await by.call<Rules>('PUT', `/tables/${id}/rules`, { rules }), 200);

/** Status and code of an answer. */
export const code = ({ status, body }: Answer<unknown>): string =>
  `${status} ${(body as { code?: string } | undefined)?.code ?? ''}`;

export const OPEN = { field: 'status', op: 'eq', value: 'open' };
export const seesOpen = { name: 'open', appliesTo: { roles: ['editor', 'viewer'] }, read: { filter: OPEN } };
export const DEAL_COLUMNS = [
  { name: 'Name', type: 'text', required: true },
  { name: 'Qty', type: 'integer' },
  { name: 'Status', type: 'single_select', options: { choices: [{ label: 'Open' }, { label: 'Won' }] } },
  { name: 'Notes', type: 'text', default: 'secret default' },
  { name: 'Owner', type: 'user' },
  { name: 'Shout', type: 'formula', options: { formula: 'UPPER({notes})' } },
];

/** Two open rows and two won ones, with notes that must not be seen. */
export async function dealsIn({ newTable, add }: Pick<ReturnType<typeof rowsFixture>, 'newTable' | 'add'>) {
  const table = await newTable(DEAL_COLUMNS);
  const rows = [];
  for (const [i, status] of ['open', 'won', 'open', 'won'].entries())
    rows.push(await add(table, { name: `r${i}`, qty: i, status, notes: `secret ${i}` }));
  return { table, rows: rows as [Row, Row, Row, Row] };
}
