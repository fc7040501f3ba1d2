import { Problem, type ProblemItem } from '../../../common/index.js';
import type { ImportMark } from '../../../query/index.js';
import type { Flaw } from './file/file-flaw.js';

/** What is wrong with a line of the file. */
export interface LineError extends Flaw {
  readonly line: number;
}

export interface Meta {
  readonly epoch: string;
  readonly seq: number;
}

/** Errors that are listed; the others are counted. */
const MAX_LISTED = 1_000;

/** What became of the lines of a file. */
export interface Counts {
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  /** Lines that were not written. */
  readonly failed: number;
  readonly errorsTruncated: boolean;
}

/** How an import goes. */
export class Tally implements Counts {
  created = 0;
  updated = 0;
  unchanged = 0;
  failed = 0;
  errorsTruncated = false;
  /** The file cannot be read to its end. */
  unreadable = false;
  /** Where the stream stood after the last write. */
  meta: Meta | undefined;
  private readonly listed: LineError[] = [];

  /** As it was when it was marked. */
  static at({ counts, errors }: { readonly counts: string; readonly errors: string }): Tally {
    const tally = new Tally();
    Object.assign(tally, JSON.parse(counts) as Counts & { readonly meta?: Meta });
    tally.listed.push(...(JSON.parse(errors) as LineError[]));
    return tally;
  }

  /** To go on from here at another time. Errors only where there are more than at `last`: they are long. */
  mark(line: number, last?: Tally): ImportMark {
    const counts = JSON.stringify({ ...countsOf(this), meta: this.meta });
    const errors = this.listed.length === (last?.listed.length ?? 0) ? {} : { errors: JSON.stringify(this.listed) };
    return { line, counts, ...errors };
  }

  get errors(): readonly LineError[] {
    return [...this.listed].sort((a, b) => a.line - b.line);
  }

  /** A line that cannot be written, and why. */
  refuse(line: number, flaws: readonly Flaw[]): void {
    this.failed++;
    this.list(flaws.map((flaw) => ({ line, ...flaw })));
  }

  /** Both together, as a third. */
  plus(...others: readonly Tally[]): Tally {
    const sum = new Tally();
    for (const each of [this, ...others]) sum.add(each);
    return sum;
  }

  private add(other: Tally): void {
    this.created += other.created;
    this.updated += other.updated;
    this.unchanged += other.unchanged;
    this.failed += other.failed;
    this.errorsTruncated ||= other.errorsTruncated;
    this.meta = other.meta ?? this.meta;
    this.list(other.listed);
  }

  private list(errors: readonly LineError[]): void {
    const room = MAX_LISTED - this.listed.length;
    this.listed.push(...errors.slice(0, room));
    this.errorsTruncated ||= errors.length > room;
  }
}

export const countsOf = ({ created, updated, unchanged, failed, errorsTruncated }: Counts): Counts => ({
  created,
  updated,
  unchanged,
  failed,
  errorsTruncated,
});

/** Findings with pointers such as `/fields/amount` or `/amount`, as flaws of that column. */
export const flawsOf = (items: readonly ProblemItem[]): Flaw[] =>
  items.map(({ pointer, code, detail }) => {
    const column = pointer.split('/').at(-1);
    return { ...(column ? { column } : {}), code, detail };
  });

/** 422 that lists what is wrong, by line and column. `written` are the rows that are written all the same. */
export function importFailed(
  errors: readonly LineError[],
  failed: number,
  more: Readonly<Record<string, unknown>> = {},
) {
  const [first] = errors;
  const where = first
    ? ` Line ${first.line}${first.column === undefined ? '' : `, ${first.column}`}: ${first.detail}`
    : '';
  return new Problem('import_failed', {
    detail: `${failed === 1 ? 'One line' : `${failed} lines`} cannot be imported.${where}`,
    errors: errors.map((error) => ({ pointer: pointerOf(error), ...error })),
    extra: more,
  });
}

const pointerOf = ({ line, column }: LineError): string =>
  `/${line}${column === undefined ? '' : `/${column.replaceAll('~', '~0').replaceAll('/', '~1')}`}`;
