import { Problem } from '../../../common/index.js';
import {
  between,
  checkedRecords,
  compileSourceRecords,
  POSTGRES,
  ROW_SEPARATOR,
  type Position,
  type SourceRead,
  type Sql,
} from '../../../query/index.js';
import type { ExternalLimits, SourcePage } from '../external-engine.js';

const SEPARATOR = between(ROW_SEPARATOR);

/** A page of rows from the records of a server that may be anybody. */
export class RecordsPage {
  private readonly asked;
  /** Without rows there are no bytes, and nothing is read. */
  private found: SourcePage = { data: '', rows: 0 };

  constructor(
    private readonly plan: SourceRead,
    private readonly limits: Pick<ExternalLimits, 'maxBytes'>,
  ) {
    this.asked = compileSourceRecords(plan, POSTGRES);
  }

  get statement(): Sql {
    return this.asked.sql;
  }

  /** What was read. */
  get page(): SourcePage {
    return this.found;
  }

  /** @throws Error for what are not the records that were asked for, Problem `answer_too_large` */
  readonly read = (bytes: Buffer): void => {
    const { limit } = this.plan;
    const { forms, row, position } = this.asked;
    const records = checkedRecords(bytes, forms, limit + 1);
    const { count } = records;
    const rows = Math.min(count, limit);
    const most = { most: this.limits.maxBytes, problem: () => tooLarge(this.limits) };
    this.found = {
      data: records.texts(row, 0, rows, SEPARATOR, most),
      rows,
      ...(count > limit ? { next: JSON.parse(records.text(position, rows - 1)) as Position } : {}),
    };
  };
}

const tooLarge = ({ maxBytes }: Pick<ExternalLimits, 'maxBytes'>): Problem =>
  new Problem('answer_too_large', { detail: `The answer of the database has more than ${maxBytes} bytes.` });
