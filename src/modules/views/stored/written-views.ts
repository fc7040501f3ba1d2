import type { AuditedManager } from '../../../database/main/index.js';
import type { WrittenViews } from '../../tables/index.js';
import { writeBackedUp, type BackedUp } from './backed-up-views.js';
import { viewAudit, viewChanged } from './describe-view.js';
import { insertNamed } from './free-names.js';
import { keepVersion } from './view-writes.js';
import type { ViewEntity } from './view.entity.js';

/** Views that come with a base, as JSON has them: new ones. */
export interface PlannedViews {
  readonly of: string;
  readonly views: readonly (Omit<ViewEntity, 'createdAt' | 'updatedAt'> & { readonly createdAt: string })[];
}

/** Writes what was planned with a structure change. Never fails for what others do meanwhile: the tables of the views are there. */
export async function writeViews(manager: AuditedManager, planned: string): Promise<WrittenViews> {
  const plan = JSON.parse(planned) as PlannedViews | BackedUp;
  if ('backedUp' in plan) return writeBackedUp(manager, plan);
  const written: ViewEntity[] = [];
  for (const view of plan.views) {
    const at = new Date(view.createdAt);
    const made = await insertNamed(manager, { ...view, createdAt: at, updatedAt: at }, plan.of);
    await keepVersion(manager, made);
    written.push(made);
  }
  return {
    audit: written.map((view) => viewAudit(view, 'view.created', { after: view })),
    events: written.map(viewChanged),
  };
}
