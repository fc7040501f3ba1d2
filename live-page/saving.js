import { ApiError, ConnectionError } from './client/index.js';
import { shown } from './cells.js';
import { randomId } from './random-id.js';

const at = (id) => document.getElementById(id);

/**
 * Saves a cell. Others may change other cells of the row meanwhile; whoever is second at the same one is asked which value is to stay.
 *
 * @returns the version that the row got by it; undefined where the other value stayed
 * @throws an `Error` with a sentence for the person, where it was not saved.
 */
export async function saveCell({ table, live, column, news }, cell, value, baseVersion) {
  const { rowId, key, td } = cell;
  // The same key each time: what was done though no answer came is not done twice.
  const idempotencyKey = randomId();
  try {
    const row = await withRetry(() =>
      table.update(rowId, { [key]: value }, { baseVersion, onConflict: 'merge', idempotencyKey }),
    );
    if (row.version > baseVersion + 1) news('Saved, and merged with what others changed in the row meanwhile.');
    await until(live, rowId, row.version);
    return row.version;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 404 || error.status === 410)
      throw new Error('This row is not there any more.', { cause: error });
    if (error.status !== 409 || !error.current) throw error;
    const theirs = error.current.fields[key];
    if (!(await wantsMine(column, theirs, value, cell.by))) {
      news('Kept what the other one wrote.');
      td.focus();
      return undefined;
    }
    const row = await withRetry(() => table.update(rowId, { [key]: value }));
    news('Yours was written over theirs.');
    td.focus();
    await until(live, rowId, row.version);
    return row.version;
  }
}

/** Once more where there was no answer; then the person is told that it is not known. */
async function withRetry(write) {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
  }
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    throw new Error(
      'The server did not answer: it is not known whether this was saved. Save it again when the state is live.',
      {
        cause: error,
      },
    );
  }
}

/** Resolves when the copy has the row in this version, or is not live any more and will be read. */
function until(live, rowId, version) {
  const there = () => live.state !== 'live' || !live.rows.has(rowId) || live.rows.get(rowId).version >= version;
  if (there()) return Promise.resolve();
  return new Promise((resolve) => {
    const ends = ['change', 'state'].map((name) =>
      live.on(name, () => {
        if (!there()) return;
        for (const end of ends) end();
        resolve();
      }),
    );
  });
}

/** Asks; Escape is "keep theirs". */
function wantsMine(column, theirs, mine, by = 'Somebody else') {
  const dialog = at('conflict');
  at('conflict-about').textContent = `${by} changed “${column.name}” of this row while you were editing it.`;
  at('conflict-theirs').textContent = shown(theirs, column) || '(empty)';
  at('conflict-yours').textContent = shown(mine, column) || '(empty)';
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'mine'), { once: true });
  });
}
at('keep-theirs').addEventListener('click', () => at('conflict').close('theirs'));
at('use-mine').addEventListener('click', () => at('conflict').close('mine'));
