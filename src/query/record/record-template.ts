import type { WireForm } from './wire-form.js';

/** A place in a text where a field of a record is written. */
export interface Slot {
  /** ASCII that stands before it. */
  readonly before: Uint8Array;
  /** Which field, counted from 0. */
  readonly field: number;
  readonly form: WireForm;
}

/** JSON text with places for fields of records. */
export interface RecordTemplate {
  readonly slots: readonly Slot[];
  /** ASCII that stands behind the last. */
  readonly end: Uint8Array;
}

/** Text between fields as bytes; keys and what JSON has around them are ASCII. */
export const between = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
