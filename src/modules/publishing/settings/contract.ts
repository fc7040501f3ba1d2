import { pointer, Problem, type ProblemItem } from '../../../common/index.js';
import type { ShownColumn } from '../../views/index.js';
import type { ContractColumn, PublishedContract } from './published-contract.js';

/** What clients rely on besides the columns. */
type Asked = Pick<PublishedContract, 'auth' | 'filterable' | 'sortable' | 'maxLimit'>;

export const contractOf = (columns: readonly ShownColumn[]): ContractColumn[] =>
  columns.map(({ key, name, type, list }) => ({ key, name, type, list }));

/** What of the contract the columns do not keep. Further columns break nothing. */
export function breaches(
  contract: readonly ContractColumn[],
  columns: readonly Pick<ShownColumn, 'key' | 'type' | 'list'>[],
): readonly ProblemItem[] {
  const found = new Map(columns.map((column) => [column.key, column]));
  return contract.flatMap(({ key, type, list }): ProblemItem[] => {
    const now = found.get(key);
    if (now?.type === type && now.list === list) return [];
    const [code, detail] = now
      ? ['other_type', `${key} was published as ${typeText({ type, list })}, and would be ${typeText(now)}.`]
      : ['missing', `${key} was published, and would be missing.`];
    return [{ pointer: `/columns${pointer(key)}`, code, detail }];
  });
}

/** What could be asked before and would be refused. */
function refusals(before: Asked, after: Asked): readonly ProblemItem[] {
  const taken = (name: 'filterable' | 'sortable', what: string): ProblemItem[] =>
    before[name]
      .filter((key) => !after[name].includes(key))
      .map((key) => ({ pointer: `/${name}`, code: `not_${name}`, detail: `Readers may ${what} by ${key}.` }));
  const smaller = `Readers may ask for ${before.maxLimit} rows at once.`;
  return [
    ...taken('filterable', 'filter'),
    ...taken('sortable', 'order'),
    ...(before.auth === 'public' && after.auth === 'key'
      ? [{ pointer: '/auth', code: 'key_needed', detail: 'Readers have needed no key.' }]
      : []),
    ...(after.maxLimit < before.maxLimit ? [{ pointer: '/maxLimit', code: 'smaller', detail: smaller }] : []),
  ];
}

/** @throws Problem `contract_broken`, with all that clients of the one would miss in the other */
export function mustKeep(before: PublishedContract, after: PublishedContract): void {
  const errors = [...breaches(before.columns, after.columns), ...refusals(before, after)];
  if (errors.length > 0) throw new Problem('contract_broken', { errors });
}

const typeText = ({ type, list }: Pick<ContractColumn, 'type' | 'list'>): string => (list ? `a list of ${type}` : type);
