import { describe, expect, it } from '@jest/globals';
import { newId } from '../../../common/index.js';
import { ResourceRegistry } from './resource-registry.js';

describe('ResourceRegistry', () => {
  const [workspaceId, elsewhere, tableId, foreignId, me] = [newId(), newId(), newId(), newId(), newId()];
  const own = newId();
  const setUp = () => {
    const registry = new ResourceRegistry();
    const homes = new Map([
      [tableId, workspaceId],
      [foreignId, elsewhere],
    ]);
    registry.register('tableId', (id) => Promise.resolve(homes.get(id)));
    registry.register('viewId', (id, userId) => Promise.resolve(id === own && userId === me ? workspaceId : undefined));
    return registry;
  };

  it('finds the workspace by its own id and by that of a thing in it', async () => {
    expect(await setUp().locate({ workspaceId, memberId: newId() }, me)).toEqual({ workspaceId, what: 'workspace' });
    expect(await setUp().locate({ tableId, rowId: 'whatever' }, me)).toEqual({ workspaceId, what: 'table' });
    expect(await setUp().locate({ workspaceId, tableId }, me)).toEqual({ workspaceId, what: 'table' });
  });

  it.each([
    ['what is no id', { tableId: 'x' }],
    ['an unknown id', { tableId: newId() }],
    ['a thing of another workspace', { workspaceId, tableId: foreignId }],
  ])('answers not_found for %s', async (_what, params) => {
    await expect(setUp().locate(params, me)).rejects.toMatchObject({
      code: 'not_found',
      detail: expect.stringContaining('table'),
    });
  });

  it('answers not_found for what only somebody else may know of', async () => {
    expect(await setUp().locate({ viewId: own }, me)).toEqual({ workspaceId, what: 'view' });
    await expect(setUp().locate({ viewId: own }, newId())).rejects.toMatchObject({ code: 'not_found' });
  });

  it('fails loudly for a route that it cannot place, and for a parameter taught twice', async () => {
    await expect(setUp().locate({ memberId: newId() }, me)).rejects.toThrow('must');
    expect(() => setUp().register('tableId', () => Promise.resolve(undefined))).toThrow('registered already');
  });
});
