import { pointer, Problem, type ProblemItem } from '../../../common/index.js';
import type { ColumnTypeName } from '../../../query/index.js';
import type { ShownColumn } from '../../views/index.js';

/** What clients of a published view rely on: a column of its answers stays, and holds what it held. */
export interface ContractColumn {
  readonly key: string;
  readonly name: string;
  readonly type: ColumnTypeName;
  readonly list: boolean;
}

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

/** @throws Problem `contract_broken` */
export function mustKeep(contract: readonly ContractColumn[], columns: readonly ShownColumn[]): void {
  const errors = breaches(contract, columns);
  if (errors.length > 0) throw new Problem('contract_broken', { errors });
}

const typeText = ({ type, list }: Pick<ContractColumn, 'type' | 'list'>): string => (list ? `a list of ${type}` : type);
