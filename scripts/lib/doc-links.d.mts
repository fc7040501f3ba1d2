/** What the documents point at and is not there: one sentence each. */
export function brokenLinks(): string[];
