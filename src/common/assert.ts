/** For what cannot happen: the value, or a thrown error that says which belief was wrong. */
export function must<T>(value: T | null | undefined, belief: string): T {
  if (value === null || value === undefined) throw new Error(`must: ${belief}`);
  return value;
}

/** Ends a `switch` over a closed union; a new member fails the type check here. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
