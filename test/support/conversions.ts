import { expectStatus, waitFor, type Client, type ProblemBody, type Table } from '../harness/index.js';

/** What became of a conversion, however it was done. */
export interface Converted {
  readonly state: string;
  readonly error?: { readonly code: string; readonly errors?: readonly object[] };
}

/** Path of a column by its key. */
export const columnPath = ({ id, columns }: Table, key: string): string =>
  `/tables/${id}/columns/${columns.find((column) => column.key === key)?.id}`;

/** Tries a conversion out, confirms it, and waits for its end where it goes on in the background. */
export async function convertColumn(as: Client, path: string, to: object, onError = 'abort'): Promise<Converted> {
  const tried = await as.post<{ confirmToken: string }>(`${path}/convert`, { to, onError, dryRun: true });
  const { confirmToken } = expectStatus(tried, 200);
  const answer = await as.post<ProblemBody>(`${path}/convert`, { to, onError, confirmToken });
  if (answer.status === 200) return { state: 'done' };
  if (answer.status !== 202) return { state: 'failed', error: answer.body };
  return waitFor(
    async () => {
      const { body } = await as.get<Converted>(`${path}/conversion`);
      return /done|failed/.test(body.state) ? body : undefined;
    },
    30_000,
    50,
  );
}
