import { must, newId, type Id } from '../../src/common/index.js';
import type { RowOp, TableSchema } from '../../src/query/index.js';
import { pick, some, type Random } from '../support/random.js';
import { linksOf, type LinkedModel } from './linked-model.js';
import { create, remove, update } from './store.js';

const LABELS = ['', 'a', 'A', 'b', 'é', '%', 'a,b', '"'];
const DATES = ['0001-01-01', '2024-02-29', '2026-11-21', '2026-11-22', '9999-12-31'];
const STATUS = ['open', 'won', 'lost'];

/** Ids that are not in the order in which rows are made: what goes by ids instead of by places shows. */
export const scattered = (random: Random): Id => newId().replace(/^.{8}/, () => hex(random));
const hex = (random: Random): string =>
  Math.floor(random() * 2 ** 32)
    .toString(16)
    .padStart(8, '0');

const INPUTS: Readonly<Record<string, (random: Random) => unknown>> = {
  text: (random) => pick(random, LABELS),
  integer: (random) => Math.floor(random() * 9) - 3,
  duration: (random) => Math.floor(random() * 90_000),
  decimal: (random) => (Math.floor(random() * 900) / 100 - 3).toFixed(2),
  date: (random) => pick(random, DATES),
  single_select: (random) => pick(random, STATUS),
  multi_select: (random) => some(random, STATUS, 3),
};

/** Ops that can be done together, on rows that the model has. */
export function randomOps(random: Random, model: LinkedModel, table: TableSchema, most = 4): RowOp[] {
  const live = model.ids(table);
  const chosen = some(random, live, most);
  const doomed = new Set(chosen.filter(() => random() < 0.2));
  const taken = new Map<string, Set<Id>>();
  // A link to the own table is written from one of its ends: two lists of one link could contradict each other.
  const end = random() < 0.5 ? 'source' : 'target';

  const stored = (): [string, unknown][] =>
    table.columns
      .filter(({ derived }) => !derived && random() < 0.5)
      .map(({ key, type }) => [
        key,
        random() < 0.15 ? null : must(INPUTS[type], `values of ${type} can be made up`)(random),
      ]);
  const links = (): [string, unknown][] =>
    linksOf(table)
      .filter(({ derived: { link } }) => random() < 0.6 && (link.target !== table || link.end === end))
      .map(({ key, derived: { link } }) => {
        const used = taken.get(key) ?? new Set();
        taken.set(key, used);
        const free = model
          .ids(link.target)
          .filter((id) => !(link.target === table && doomed.has(id)) && !(link.inverseSingle && used.has(id)));
        const list = some(random, free, link.single ? 1 : 4);
        for (const id of list) used.add(id);
        return [key, list];
      });
  const fields = () => Object.fromEntries([...stored(), ...links()]);
  const changes = chosen.map((id) => (doomed.has(id) ? remove(id) : update(table, id, fields())));
  const news = Array.from({ length: live.length < 12 ? Math.floor(random() * 4) : 0 }, () =>
    create(table, fields(), scattered(random)),
  );
  return random() < 0.5 ? [...changes, ...news] : [...news, ...changes].reverse();
}
