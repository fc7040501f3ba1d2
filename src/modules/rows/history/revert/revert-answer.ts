import type { TablePlan } from './revert-planner.js';

/** Conflicts, and what is left out, that an answer lists of each; the rest is counted. */
const MAX_LISTED = 1_000;

/** What an answer says of a table. */
export const told = (plan: TablePlan) => listed(plan, { conflicts: MAX_LISTED, skipped: MAX_LISTED });

/** What an answer says of several tables, with no longer lists in sum than of one. */
export function toldOfAll(plans: readonly TablePlan[]) {
  const room = { conflicts: MAX_LISTED, skipped: MAX_LISTED };
  return plans.map((plan) => {
    const one = listed(plan, room);
    room.conflicts -= one.conflicts.length;
    room.skipped -= one.skipped.length;
    return one;
  });
}

const listed = (
  { rows, conflicts, skipped }: TablePlan,
  room: { readonly conflicts: number; readonly skipped: number },
) => ({
  rows,
  conflicts: conflicts.slice(0, room.conflicts),
  skipped: skipped.slice(0, room.skipped),
  counts: { conflicts: conflicts.length, skipped: skipped.length },
});
