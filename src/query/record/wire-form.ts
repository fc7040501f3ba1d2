/**
 * How a value travels from PostgreSQL to the server, which writes its JSON: in the binary form of its type, or as JSON text that
 * PostgreSQL has made, of whatever has no form of its own.
 */
export type WireForm = 'json' | 'text' | 'uuid' | 'integer' | 'decimal' | 'boolean' | 'date' | 'instant';
