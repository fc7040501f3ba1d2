import { describe, expect, it } from '@jest/globals';
import { newId } from '../../../common/index.js';
import { ResourceRegistry } from './resource-registry.js';

describe('ResourceRegistry', () => {
  const [workspaceId, elsewhere, tableId, foreignId] = [newId(), newId(), newId(), newId()];
  const setUp = () => {
    const registry = new ResourceRegistry();
    const homes = new Map([
      [tableId, workspaceId],
      [foreignId, elsewhere],
    ]);
    registry.register('tableId', (id) => Promise.resolve(homes.get(id)));
    return registry;
  };

  it('finds the workspace by its own id and by that of a thing in it', async () => {
    expect(await setUp().locate({ workspaceId, memberId: newId() })).toEqual({ workspaceId, what: 'workspace' });
    expect(await setUp().locate({ tableId, rowId: 'whatever' })).toEqual({ workspaceId, what: 'table' });
    expect(await setUp().locate({ workspaceId, tableId })).toEqual({ workspaceId, what: 'table' });
  });

  it.each([
    ['what is no id', { tableId: 'x' }],
    ['an unknown id', { tableId: newId() }],
    ['a thing of another workspace', { workspaceId, tableId: foreignId }],
  ])('answers not_found for %s', async (_what, params) => {
    await expect(setUp().locate(params)).rejects.toMatchObject({
      code: 'not_found',
      detail: expect.stringContaining('table'),
    });
  });

  it('fails loudly for a route that it cannot place, and for a parameter taught twice', async () => {
    await expect(setUp().locate({ memberId: newId() })).rejects.toThrow('must');
    expect(() => setUp().register('tableId', () => Promise.resolve(undefined))).toThrow('registered already');
  });
});
