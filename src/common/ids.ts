import { v7 } from 'uuid';

/** A UUIDv7 string in lower case (RFC 9562): time-ordered, made by the application. */
export type Id = string;

/** A new, time-ordered id. Ids of one process never go backwards. */
export const newId = (): Id => v7();

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether the text is a UUID in its canonical lower-case form, the only form that we hand out. */
export const isId = (text: unknown): text is Id => typeof text === 'string' && UUID.test(text);
