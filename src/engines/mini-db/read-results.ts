import { must } from '../../common/index.js';
import type { PgRow } from '../../database/mini/index.js';
import type { RowWrite } from '../../query/index.js';
import type { OpResult, WriteResult } from './write-result.js';

/** What {@link compileWrite} answered, by write and op. */
export function readResults(writes: readonly RowWrite[], rows: readonly PgRow[]): WriteResult[] {
  const results = writes.map(() => ({ epoch: '', seq: 0, ops: [] as OpResult[] }));
  for (const [g, , status, seq, epoch, id, version, json] of rows) {
    const result = results[Number(g)];
    if (!result) continue;
    result.epoch = String(epoch);
    result.seq = Number(seq);
    result.ops.push({
      status: status as OpResult['status'],
      id: must(id, 'each result names its row'),
      ...(version == null ? {} : { version: Number(version) }),
      ...(json == null ? {} : { json }),
    });
  }
  return results;
}
