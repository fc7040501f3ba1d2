/** Types whose cells follow from others: no entry of a history speaks of them, and nobody can put them back. */
const COMPUTED: ReadonlySet<string> = new Set([
  'lookup', 'rollup', 'count', 'formula', 'created_at', 'updated_at', 'created_by', 'updated_by',
]); // prettier-ignore

/** Whether cells of this type are written; of a type that is not known any more it is supposed. */
export const isWritten = (type: string | undefined): boolean => type === undefined || !COMPUTED.has(type);
