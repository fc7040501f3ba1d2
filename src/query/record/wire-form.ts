/**
 * How a value travels from PostgreSQL to the server, which writes its JSON: in the binary form of its type, or as JSON text that
 * PostgreSQL has made, of whatever has no form of its own.
 */
export type WireForm = 'json' | 'text' | 'uuid' | 'integer' | 'decimal' | 'boolean' | 'date' | 'instant';

/** How a value is written: as it is shown, or, of a moment, as exact as it is stored, to the microsecond, which is what rows are ordered by. */
export type WrittenForm = WireForm | 'exact_instant';

/** The form that loses nothing. */
export const exactly = (form: WrittenForm): WrittenForm => (form === 'instant' ? 'exact_instant' : form);
