import { must } from '../../common/index.js';
import type { PgRow } from '../../database/mini/index.js';
import type { RowWrite, SaidCreates } from '../../query/index.js';
import type { OpResult, WriteResult } from './write-result.js';

/**
 * What the statement of {@link sayCreates} answered, one row for each write. Rows are put together as a read would give them; of
 * the database they need no more than the time.
 */
export function readCreated(
  writes: readonly RowWrite[],
  fields: SaidCreates['fields'],
  rows: readonly PgRow[],
): WriteResult[] {
  return writes.map(({ ops, quiet, context: { actorId } }, g) => {
    const [seq, epoch, at] = must(rows[g], 'each write took a number');
    const person = actorId === null ? 'null' : `"${actorId}"`;
    const end = `,"createdAt":${at},"createdBy":${person},"updatedAt":${at},"updatedBy":${person}}`;
    return {
      epoch: String(epoch),
      seq: Number(seq),
      ops: ops.map(({ id }, o): OpResult =>
        quiet
          ? { status: 'ok', id, version: 1 }
          : { status: 'ok', id, version: 1, json: `{"id":"${id}","version":1,"fields":${fields[g]?.[o]}${end}` },
      ),
    };
  });
}

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
