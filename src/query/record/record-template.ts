import type { Piece } from './piece.js';
import type { RecordForm } from './wire-form.js';

/** A place in a text where a field of a record is written. */
export interface Slot {
  /** What stands before it. Keys of external columns may have any characters. */
  readonly before: Piece;
  /** Which field, counted from 0. */
  readonly field: number;
  readonly form: RecordForm;
}

/** JSON text with places for fields of records. */
export interface RecordTemplate {
  readonly slots: readonly Slot[];
  /** What stands behind the last. */
  readonly end: Piece;
}
