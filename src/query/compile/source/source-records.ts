import { must } from '../../../common/index.js';
import type { ObjectColumn } from '../../object-schema.js';
import { between } from '../../record/piece.js';
import type { RecordTemplate, Slot } from '../../record/record-template.js';
import type { RecordForm } from '../../record/wire-form.js';
import { remembered } from '../../remember.js';
import type { ColumnSchema } from '../../schema.js';
import type { SourceRead } from '../../source-plan.js';
import { sql, type Sql } from '../../sql.js';
import { recordOf } from '../row-record.js';
import type { SentCell, SqlDialect } from './dialect.js';
import { atItsTime, pageCells, sourcePage } from './source-read.js';

/** A statement for a page as records, and what is written of them. */
export interface SourceRecords {
  /** One value: the rows in their order as records one behind the other, null where there are none; one more than the limit tells that there is another page. */
  readonly sql: Sql;
  /** Of the fields of a record. */
  readonly forms: readonly RecordForm[];
  /** `{"fields":{…}}` */
  readonly row: RecordTemplate;
  /** The keys of a row as a JSON array, by which the next page is found. */
  readonly position: RecordTemplate;
}

/** The same page as `compileSourceRead` gives, of a dialect that knows records. */
export function compileSourceRecords(plan: SourceRead, dialect: SqlDialect): SourceRecords {
  const { needed, rows } = sourcePage(plan, dialect);
  const shown = shownBy(dialect)(plan.select);
  // The columns that are shown are the first.
  const isAll = needed.length === shown.sent.length;
  const sent = isAll ? shown.sent : [...shown.sent, ...sentCells(needed, dialect, shown.sent.length)];
  const slots = plan.orderBy.map(({ by }, i): Slot => {
    const field = by.kind === 'column' ? needed.indexOf(by.column) : -1;
    return { before: between(i === 0 ? '[' : ','), field, form: must(sent[field], 'a column of the page').form };
  });
  return {
    sql: atItsTime(
      sql`select string_agg(r.j, '') from (select ${isAll ? shown.record : recordBy(sent)} as j ${rows}) r`,
      plan,
      dialect,
    ),
    forms: sent.map(({ form }) => form),
    row: shown.template,
    position: { slots, end: between(plan.orderBy.length === 0 ? '[]' : ']') },
  };
}

const sentCells = (needed: readonly ColumnSchema[], dialect: SqlDialect, from: number): readonly SentCell[] => {
  const cells = pageCells(needed, dialect);
  return needed.slice(from).map((column) => must(dialect.sent?.(cells(column)), 'a dialect with records'));
};

const recordBy = (sent: readonly SentCell[]): Sql => recordOf(sent.map(({ cell }) => cell));

/** The longest part of most statements, built once for each list of columns. */
const shownBy = remembered((dialect: SqlDialect) =>
  remembered((select: readonly ObjectColumn[]) => {
    const sent = sentCells(select, dialect, 0);
    const slots = select.map(({ key }, i): Slot => ({
      before: between(`${i === 0 ? '{"fields":{' : ','}${JSON.stringify(key)}:`),
      field: i,
      form: must(sent[i], 'a column of the page').form,
    }));
    return {
      sent,
      record: recordBy(sent),
      template: { slots, end: between(select.length === 0 ? '{"fields":{}}' : '}}') },
    };
  }),
);
