/** A page as a member asks for it whom a rule of three leaves keeps from part of the table. */
import { call } from './http-client.mjs';

export const RULED_PATHS = {
  ours: (rows, qty) => `${rows}?filter=qty.lte.${qty}&sort=-qty&limit=100`,
  floor: (qty) => `/ruled?qty=${qty}`,
};

const leaf = (field, op, value) => ({ field, op, value });
const SEEN = {
  and: [leaf('active', 'eq', true), leaf('status', 'in', ['open', 'won']), leaf('amount', 'gte', '100.00')],
};

/** Gives the table the rule, and a new member for whom it is; returns the token of that member. */
export async function makeRuled({ base, token, workspaceId, tableId }) {
  const api = (method, path, body, as = token) => call(base, method, `/api/v1${path}`, as, body);
  const person = { email: 'ruled@example.com', password: 'another long sentence of the benchmark', name: 'Ruled' };
  const { accessToken } = await api('POST', '/auth/register', person, undefined);
  await api('POST', `/workspaces/${workspaceId}/members`, { email: person.email, role: 'editor' });
  const rule = { name: 'Some deals', appliesTo: { roles: ['editor'] }, read: { filter: SEEN } };
  await api('PUT', `/tables/${tableId}/rules`, { rules: [rule] });
  return accessToken;
}
