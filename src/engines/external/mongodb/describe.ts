import type { MongoDocument } from '../../../query/index.js';

/** Members whose values are names of ours or of collections. */
const NAMES: ReadonlySet<string> = new Set(['from', 'as', 'path', '$count', 'unit', '$type']);

/** A pipeline as text, with `?` for every value that a request could have given. */
export const describePipeline = (collection: string, pipeline: readonly MongoDocument[]): string =>
  `${collection}: ${JSON.stringify(masked(pipeline, false, ''))}`;

/** Within a condition of a `$match` all values are the request's; within expressions texts that begin with `$` are fields. */
function masked(node: unknown, isFilter: boolean, name: string): unknown {
  if (Array.isArray(node)) return node.map((item: unknown) => masked(item, isFilter, name));
  if (typeof node === 'object' && node !== null) {
    if (Object.getPrototypeOf(node) !== Object.prototype) return '?';
    return Object.fromEntries(
      Object.entries(node).map(([key, value]) => {
        if (key === '$literal') return [key, '?'];
        const inFilter = key === '$match' || (isFilter && key !== '$expr');
        return [key, masked(value, inFilter, key)];
      }),
    );
  }
  if (isFilter) return '?';
  if (typeof node === 'string') return node.startsWith('$') || NAMES.has(name) ? node : '?';
  return node;
}
