/**
 * A function of one object that never changes, computed once and kept as long as the object lives. Metadata of a table is
 * such an object until the structure changes, and most of a statement's text follows from it alone.
 */
export function remembered<K extends object, V>(compute: (key: K) => V): (key: K) => V {
  const known = new WeakMap<K, { readonly value: V }>();
  return (key) => {
    let entry = known.get(key);
    if (!entry) known.set(key, (entry = { value: compute(key) }));
    return entry.value;
  };
}

/** What is kept under the name, computed when it is not there. With `limit` names all are forgotten, which costs nothing but time. */
export function underName<V extends object>(known: Map<string, V>, limit: number, name: string, compute: () => V): V {
  const kept = known.get(name);
  if (kept) return kept;
  const value = compute();
  if (known.size >= limit) known.clear();
  known.set(name, value);
  return value;
}
