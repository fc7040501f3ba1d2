import { expect } from '@jest/globals';
import { must } from '../../src/common/index.js';
import { expectStatus, type Client, type World } from '../harness/index.js';

interface Field {
  readonly field: string;
  readonly current: unknown;
  readonly value: unknown;
}
export interface Revert {
  readonly does: string;
  readonly resource: { readonly type: string; readonly id: string; readonly name: string };
  readonly fields: readonly Field[];
  readonly conflicts: readonly Field[];
  readonly skipped: readonly string[];
  readonly confirmToken?: string;
}

/** Taking back changes of metadata of a workspace, as its owner. */
export function reverting(world: () => World) {
  const log = () => `/workspaces/${world().workspace.id}/audit-logs`;
  /** The newest entry of an action upon a thing. */
  const entryOf = async (resourceId: string, action: string): Promise<string> => {
    const query = `resourceId=${resourceId}&action=${action}`;
    const found = await world().owner.get<{ data: { readonly id: string }[] }>(`${log()}?${query}`);
    return must(expectStatus(found, 200).data[0], action).id;
  };
  const ask = (entryId: string, body: object, as: Client = world().owner) =>
    as.post<Revert>(`${log()}/${entryId}/revert`, body);
  const dryRun = async (entryId: string, more: object = {}): Promise<Revert> =>
    expectStatus(await ask(entryId, { ...more, dryRun: true }), 200);
  /** Taken back, after a dry run. */
  const takeBack = async (entryId: string, more: object = {}): Promise<Revert> => {
    const { confirmToken, ...told } = await dryRun(entryId, more);
    const done = expectStatus(await ask(entryId, { ...more, confirmToken }), 200);
    expect(done).toEqual(told);
    return done;
  };
  return { ask, dryRun, entryOf, takeBack };
}
