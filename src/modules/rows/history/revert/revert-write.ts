import { invalid, type Access } from '../../../../common/index.js';
import { LinksRefused, type HistoryFilter } from '../../../../engines/index.js';
import type { WriteContext } from '../../../../query/index.js';
import { contextOf } from '../../../tables/index.js';
import { MAX_OPS } from '../../write/bulk-request.js';
import type { RevertPlan, Step } from './revert-planner.js';

/** What the log says of a revert of these changes. */
export const revertContext = (access: Access, { changeSet }: HistoryFilter): WriteContext => ({
  ...contextOf(access),
  source: 'revert',
  ...(changeSet === undefined ? {} : { revertOf: changeSet }),
});

/** The steps of a plan, none of them longer than one statement takes well. */
export const inPortions = ({ steps }: RevertPlan): readonly Step[] =>
  steps.flatMap(({ table, ops }) =>
    Array.from({ length: Math.ceil(ops.length / MAX_OPS) }, (_, i) => ({
      table,
      ops: ops.slice(i * MAX_OPS, (i + 1) * MAX_OPS),
    })),
  );

/** @throws Problem `validation_failed` with the first link that there cannot be; whatever `work` throws */
export async function tellingLinks<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LinksRefused) throw invalid([...error.findings.values()].flat().slice(0, 1));
    throw error;
  }
}
