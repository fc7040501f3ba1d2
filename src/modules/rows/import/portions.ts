import type { SourceRow } from './file/row-file.js';

/** Rows that are written together, under one number of the stream. */
export const PORTION = 1_000;
/** Characters of the file that are; large cells make small portions. */
const MAX_SIZE = 2 * 1024 * 1024;

/** The rows of a file in portions, in order. What ends the file early is thrown behind the last row before it. */
export async function* portions(rows: AsyncIterable<readonly SourceRow[]>): AsyncGenerator<readonly SourceRow[], void> {
  let portion: SourceRow[] = [];
  let size = 0;
  let failed: { readonly error: unknown } | undefined;
  const batches = rows[Symbol.asyncIterator]();
  try {
    for (;;) {
      const step = await batches.next().catch((error: unknown) => {
        failed = { error };
        return { done: true, value: undefined } as const;
      });
      if (step.done) break;
      for (const row of step.value) {
        if (portion.length > 0 && (portion.length === PORTION || size + row.size > MAX_SIZE)) {
          yield portion;
          portion = [];
          size = 0;
        }
        portion.push(row);
        size += row.size;
      }
    }
  } finally {
    await batches.return?.();
  }
  if (portion.length > 0) yield portion;
  if (failed) throw failed.error;
}
