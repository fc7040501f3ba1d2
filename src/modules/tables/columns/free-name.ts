import { foldName } from '../../../common/index.js';
import type { ColumnEntity } from './column.entity.js';

type Sibling = Pick<ColumnEntity, 'nameFolded'>;

/** Leaves room for a number within the 255 characters of a name. */
const STEM = 240;

/** The name, or with a number behind it where a column has it already. */
export function freeName(name: string, siblings: readonly Sibling[]): string {
  if (!isTaken(name, siblings)) return name;
  const stem = [...name].slice(0, STEM).join('');
  for (let n = 2; ; n++) {
    const numbered = `${stem} ${n}`;
    if (!isTaken(numbered, siblings)) return numbered;
  }
}

export const isTaken = (name: string, siblings: readonly Sibling[]): boolean =>
  siblings.some(({ nameFolded }) => nameFolded === foldName(name));
