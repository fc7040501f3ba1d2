import { startProgram } from './programs.js';

/** A row of a table as it stands in a dump: the text of each value as PostgreSQL writes it. */
export type DumpRecord = Readonly<Record<string, string | null>>;

interface Copied {
  readonly table: string;
  readonly record: DumpRecord;
}

/**
 * Rows of these tables out of a dump in the custom format, which no database is needed for: `pg_restore` writes them as the text of `COPY`
 * (manual, COPY, File Formats).
 * @param program path of `pg_restore`
 * @throws BackupError
 */
export async function* dumpRecords(
  program: string,
  file: string,
  tables: readonly string[],
): AsyncGenerator<Copied, void, undefined> {
  const args = ['--data-only', ...tables.map((table) => `--table=${table}`), '--file=-', file];
  const { stdin, stdout, done } = startProgram(program, args);
  stdin.end();
  let head: { readonly table: string; readonly columns: readonly string[] } | undefined;
  for await (const line of linesOf(stdout)) {
    if (!head) head = headOf(line);
    else if (line === '\\.') head = undefined;
    else yield { table: head.table, record: recordOf(head.columns, line) };
  }
  await done;
}

/** Not `readline`: it ends lines at characters, too, that stand in texts as they are. */
async function* linesOf(stream: NodeJS.ReadableStream): AsyncGenerator<string> {
  stream.setEncoding('utf8');
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

function headOf(line: string): { readonly table: string; readonly columns: readonly string[] } | undefined {
  const [, table, columns] = /^COPY public\.(\w+) \((.*)\) FROM stdin;$/.exec(line) ?? [];
  if (table === undefined || columns === undefined) return undefined;
  return { table, columns: columns.split(', ').map((name) => name.replace(/^"(.*)"$/, '$1')) };
}

function recordOf(columns: readonly string[], line: string): DumpRecord {
  const values = line.split('\t');
  return Object.fromEntries(columns.map((name, i) => [name, valueOf(values[i] ?? '\\N')]));
}

const ESCAPED: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

const valueOf = (text: string): string | null =>
  text === '\\N' ? null : text.replace(/\\(.)/gs, (_, escaped: string) => ESCAPED[escaped] ?? escaped);
