import { expectStatus, signup, type Client, type Person, type Table } from '../harness/index.js';

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
