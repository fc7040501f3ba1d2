import type { WireForm } from './wire-form.js';

/** A place in a text where a field of a record is written. */
export interface Slot {
  /** What stands before it. */
  readonly before: Uint8Array;
  /** Which field, counted from 0. */
  readonly field: number;
  readonly form: WireForm;
}

/** JSON text with places for fields of records. */
export interface RecordTemplate {
  readonly slots: readonly Slot[];
  /** What stands behind the last. */
  readonly end: Uint8Array;
}

const utf8 = new TextEncoder();

/** Text between fields as bytes. Keys of external columns may have any characters. */
export const between = (text: string): Uint8Array => utf8.encode(text);
