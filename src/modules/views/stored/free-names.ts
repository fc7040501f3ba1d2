import type { AuditedManager } from '../../../database/main/index.js';
import { isNameTaken, named } from './describe-view.js';
import { ViewEntity } from './view.entity.js';

/** So that two of them, and a number, are a name of 255 characters. */
const MAX_STEM = 115;

/**
 * The view under a name that is free: its own, or with what it is of behind it, and a number if need be. The index decides, so that nobody who
 * takes a name at the same moment is in the way.
 */
export async function insertNamed(manager: AuditedManager, view: ViewEntity, of: string): Promise<ViewEntity> {
  for (let n = 0; ; n++) {
    const called = { ...view, ...named(nameAt(n, view.name, of)) };
    const insert = manager.createQueryBuilder().insert().into(ViewEntity).values(called).orIgnore().returning('id');
    const made = await insert.execute();
    if ((made.raw as readonly unknown[]).length > 0) return called;
  }
}

/** The same of a view that is there, and becomes this one. */
export async function updateNamed(manager: AuditedManager, view: ViewEntity, of: string): Promise<ViewEntity> {
  for (let n = 0; ; n++) {
    const called = { ...view, ...named(nameAt(n, view.name, of)) };
    try {
      await manager.transaction((inner) => (inner as AuditedManager).update(ViewEntity, { id: view.id }, called));
      return called;
    } catch (error) {
      if (!isNameTaken(error)) throw error;
    }
  }
}

function nameAt(n: number, name: string, of: string): string {
  if (n === 0) return name;
  const stem = `${[...name].slice(0, MAX_STEM).join('')} (${[...of].slice(0, MAX_STEM).join('')})`;
  return n === 1 ? stem : `${stem} ${n}`;
}
