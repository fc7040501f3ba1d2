/** What the change log has of a long list: what came and what went. */
export interface ListChange {
  readonly $add: readonly unknown[];
  readonly $remove: readonly unknown[];
}

export const isListChange = (cell: unknown): cell is ListChange =>
  typeof cell === 'object' && cell !== null && !Array.isArray(cell) && '$add' in cell && '$remove' in cell;

/** The list with what came, without what went. */
export function withListChange(list: unknown, { $add, $remove }: ListChange): readonly unknown[] {
  const there = Array.isArray(list) ? (list as unknown[]) : [];
  return [...there.filter((each) => !$remove.includes(each)), ...$add.filter((each) => !there.includes(each))];
}
