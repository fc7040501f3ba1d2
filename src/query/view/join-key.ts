import { isId } from '../../common/index.js';
import type { Scalar, ValueKind } from '../schema.js';
import { columnType, identityOf } from '../types/index.js';

/** Values as joins compare them over two databases: by what they are, not by how each database writes them. */
export const joinKey = {
  /** Text that equal values share. */
  of({ type }: ValueKind, value: Scalar): string {
    return columnType(type).family === 'number' ? identityOf({ type: 'decimal' }, String(value)) : String(value);
  },

  /** The canonical value of a column that has this key; undefined where no value of its kind has. */
  asValueOf({ type }: ValueKind, key: string): string | number | undefined {
    const { bind } = columnType(type);
    // A text of another database need not be an id.
    if (bind === 'uuid') return isId(key) ? key : undefined;
    if (bind !== 'bigint') return key;
    const whole = Number(key);
    return Number.isSafeInteger(whole) && String(whole) === key ? whole : undefined;
  },
} as const;
