/** Somebody else was first, or it was restored. */
export class NotDue extends Error {}
