import { cleanName, foldName } from '../../../common/index.js';
import type { ColumnOptions } from '../../../query/index.js';
import { unguardFormula } from '../export/csv-line.js';
import { FileFlaw } from './file/file-flaw.js';
import type { RowFile } from './file/row-file.js';
import { ColumnGuess, type Inferred } from './infer.js';
import { importFailed, Tally, type LineError } from './tally.js';

/** A table has no more. */
const MAX_COLUMNS = 250;

/** A column that a file would make. */
export interface SurveyedColumn extends Inferred {
  readonly name: string;
  readonly options?: ColumnOptions;
}

/**
 * Reads the whole file once, to know what columns of which types a table for it needs: a value in the last line may be unlike all before.
 * @throws Problem `import_failed` names that no table can have; lines that are not what the header promises
 */
export async function survey(file: RowFile, gone: AbortSignal): Promise<SurveyedColumn[]> {
  const tally = new Tally();
  const guesses = new Map<string, ColumnGuess>();
  try {
    const header = await file.header();
    const names = header && namesOf(header);
    const byPosition = names?.map((name) => guessOf(guesses, name, 1));
    for await (const batch of file.rows()) {
      gone.throwIfAborted();
      for (const { line, flaw, cells, fields } of batch) {
        if (flaw) tally.refuse(line, [flaw]);
        else if (byPosition) byPosition.forEach((guess, i) => lookAt(guess, cells?.[i] ?? null));
        else
          for (const [name, value] of Object.entries(fields ?? {}))
            guessOf(guesses, nameOf(name, line), line).json(value);
      }
    }
  } catch (error) {
    if (!(error instanceof FileFlaw)) throw error;
    const { line, code, detail } = error;
    tally.refuse(line, [{ code, detail }]);
  }
  if (guesses.size === 0 && tally.failed === 0)
    tally.refuse(1, [
      { code: 'header_missing', detail: 'The file has no row, so nothing tells what columns to make.' },
    ]);
  if (tally.failed > 0) throw importFailed(tally.errors, tally.failed, { errorsTruncated: tally.errorsTruncated });
  return [...guesses].map(([name, guess]) => ({ name, ...guess.result() }));
}

const lookAt = (guess: ColumnGuess, cell: string | null): void => {
  if (cell !== null && cell.trim() !== '') guess.text(unguardFormula(cell));
};

/** @throws Problem `import_failed` all names that cannot be */
function namesOf(header: readonly string[]): string[] {
  const errors: LineError[] = [];
  const seen = new Set<string>();
  const names = header.map((given, i) => {
    const name = given === '' ? `Column ${i + 1}` : cleanName(unguardFormula(given));
    const shown = given.slice(0, 60);
    if (name === undefined)
      errors.push({
        line: 1,
        column: shown,
        code: 'name_invalid',
        detail: 'A name has 1 to 255 characters, none of them a control character.',
      });
    else if (seen.has(foldName(name)))
      errors.push({
        line: 1,
        column: shown,
        code: 'duplicate_field',
        detail: `${JSON.stringify(shown)} occurs twice; letter case does not matter.`,
      });
    seen.add(foldName(name ?? ''));
    return name ?? '';
  });
  if (header.length > MAX_COLUMNS)
    throw importFailed(
      [{ line: 1, code: 'too_many_columns', detail: `A table has at most ${MAX_COLUMNS} columns.` }],
      1,
    );
  if (errors.length > 0) throw importFailed(errors, 1);
  return names;
}

function nameOf(given: string, line: number): string {
  const name = cleanName(given);
  if (name !== undefined) return name;
  const detail = 'A name has 1 to 255 characters, none of them a control character.';
  throw importFailed([{ line, column: given.slice(0, 60), code: 'name_invalid', detail }], 1);
}

function guessOf(guesses: Map<string, ColumnGuess>, name: string, line: number): ColumnGuess {
  let guess = guesses.get(name);
  if (!guess) {
    if (guesses.size === MAX_COLUMNS)
      throw importFailed(
        [{ line, code: 'too_many_columns', detail: `A table has at most ${MAX_COLUMNS} columns.` }],
        1,
      );
    guesses.set(name, (guess = new ColumnGuess()));
  }
  return guess;
}
