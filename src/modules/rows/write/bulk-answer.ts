import { JsonText, type DatabaseWork, type Id, type Problem } from '../../../common/index.js';
import type { OpResult } from '../../../engines/index.js';
import type { RowOp } from '../../../query/index.js';
import type { BulkEntry } from './bulk-request.js';
import { MINIMAL, type Manner } from './manner.js';

/** How a bulk call ended: by index of the entry, what failed and what was done. */
export interface BulkOutcome {
  readonly failures: ReadonlyMap<number, Problem>;
  readonly results: ReadonlyMap<number, { readonly kind: RowOp['kind']; readonly result: OpResult }>;
  readonly meta: { readonly epoch: string; readonly seq: number };
}

const STATUS = { create: 201, update: 200, delete: 204, restore: 200 } as const;

/** The answer's text; rows go in as the text that PostgreSQL made. */
export function bulkAnswer(
  entries: readonly BulkEntry[],
  { failures, results, meta }: BulkOutcome,
  { minimal }: Manner,
  work: DatabaseWork = {},
): JsonText {
  const items = entries.map(({ index, ref, op }) => {
    const head = `{"index":${index}${ref === undefined ? '' : `,"ref":${JSON.stringify(ref)}`}`;
    const problem = failures.get(index);
    // A row that was not made has none: the id that it would have had names nothing.
    if (problem)
      return `${head}${idPart(op && op.kind !== 'create' && 'id' in op ? op.id : undefined)},"status":${problem.status},"error":${JSON.stringify(problem.body())}}`;
    const done = results.get(index);
    if (!done) return `${head},"status":500}`;
    const row = minimal || done.result.json === undefined ? '' : `,"row":${done.result.json}`;
    return `${head},"status":${STATUS[done.kind]}${idPart(done.result.id)}${row}}`;
  });
  const summary = JSON.stringify({ total: entries.length, ok: entries.length - failures.size, failed: failures.size });
  const text = `{"summary":${summary},"results":[${items.join(',')}],"meta":${JSON.stringify({ epoch: meta.epoch, seq: meta.seq })}}`;
  return new JsonText(text, {
    status: 200,
    headers: { 'live-seq': String(meta.seq), ...(minimal ? MINIMAL : {}) },
    ...work,
    committed: true,
  });
}

const idPart = (id: Id | undefined): string => (id ? `,"id":"${id}"` : '');
