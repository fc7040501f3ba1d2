import { describe, expect, it } from '@jest/globals';
import type { Access, AppRequest } from '../../../common/index.js';
import type { Change } from '../../../engines/index.js';
import type { FollowedTable } from '../channel-access.js';
import { ChangesService } from './changes.service.js';

const hidden: Change = {
  ...{ seq: 1, ord: 0, op: 'update', rowId: 'r', version: 2, schemaVersion: 1, before: null, changeSet: 'c' },
  ...{ after: { name: 'hidden' }, at: '2026-01-01T00:00:00.000Z', actor: { id: null, name: '' } },
  ...{ source: 'api', requestId: 'q' },
};

/** A log whose only change is of a row that the caller does not see under the rules that come while `when` is done. */
function setUp(when: 'reading' | 'waiting') {
  let [isRuled, reads] = [false, 0];
  const table = (): FollowedTable => ({
    ...{ id: 't', workspaceId: 'w', schema: 's', ...(isRuled ? { sight: 'part' } : {}) },
    asSeen: () => Promise.resolve({ columns: [] } as never),
  });
  const is = <T>(value: T) => Promise.resolve(value);
  const log = {
    span: () => is({ epoch: 'e', seq: when === 'reading' || isRuled ? 1 : 0, oldest: 1 }),
    read: () => {
      isRuled = true;
      reads++;
      return is([hidden]);
    },
  };
  const waits = {
    isOver: () => false,
    next: () => {
      isRuled = true;
      return is(undefined);
    },
  };
  const channels = { tableNow: () => is(table()), table: () => is(table()) };
  const service = new ChangesService(
    log as never,
    { seenRows: () => is(new Map()) } as never,
    channels as never,
    { verify: () => is({}) } as never,
    waits as never,
  );
  const list = () =>
    service.list({} as Access, 't', { after: 0, limit: 10, wait: 5 }, { headers: {} } as unknown as AppRequest);
  return { list, reads: () => reads };
}

describe('changes for somebody who comes under rules', () => {
  it.each(['reading', 'waiting'] as const)('are what is seen under them, though they came while %s', async (when) => {
    const { list, reads } = setUp(when);
    const { data, meta } = await list();
    expect(meta.seq).toBe(1);
    expect(data).toHaveLength(1);
    expect(JSON.stringify(data)).not.toContain('hidden');
    expect(reads()).toBe(when === 'reading' ? 2 : 1);
  });
});
