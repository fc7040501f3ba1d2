/**
 * How a value travels from PostgreSQL to the server, which writes its JSON: in the binary form of its type, or as JSON text that
 * PostgreSQL has made, of whatever has no form of its own.
 */
export type WireForm = 'json' | 'text' | 'uuid' | 'integer' | 'decimal' | 'boolean' | 'date' | 'instant';

/**
 * The same of fields of records. Databases of others have values that columns of ours do not have: whole numbers of 64 bits in quotes, texts of
 * floating-point numbers, moments to the microsecond with a zone and without one, bytes.
 */
export type RecordForm = WireForm | 'bigint' | 'float' | 'zoned' | 'local' | 'bytea';

/** The form that loses nothing of what rows are ordered by. */
export const exactly = (form: RecordForm): RecordForm => (form === 'instant' ? 'zoned' : form);
