import type { ColumnSchema } from '../schema.js';
import type { OrderTerm, ReadPlan } from '../plan.js';
import { kindOf, valueType } from '../kind.js';
import { between } from '../record/piece.js';
import type { RecordTemplate, Slot } from '../record/record-template.js';
import { exactly, type WireForm } from '../record/wire-form.js';
import { remembered } from '../remember.js';
import type { Place } from '../types/index.js';
import { comma, ident, join, sql, type Sql } from '../sql.js';
import { cellJson, cellOf } from './cell.js';
import { ROW } from './condition.js';
import { expandedJson } from './expanded.js';
import { inOnePass, sharedJson } from './shared-pass.js';

/*
 * Rows leave PostgreSQL as records in binary form, and the server writes their JSON (ADR 37): texts of moments, numbers and ids are most of what
 * a page costs a database that makes them. What has no form of its own is sent as the JSON text that PostgreSQL makes.
 */

/** A record of a row, and what is written of it. */
export interface RowRecord {
  readonly cells: readonly Sql[];
  readonly template: RecordTemplate;
  /** Where a cell is in it that rows can be ordered by. */
  readonly at: ReadonlyMap<ColumnSchema | 'id', Slot>;
}

/**
 * A record in binary form, as bytes. Made row by row: to send an array of records PostgreSQL takes a kilobyte for each cell until the whole
 * array is sent, and gives all of it back to the operating system each time.
 */
export const recordOf = (cells: readonly Sql[]): Sql => sql`record_send(row(${join(cells, comma)}))`;

/** A cell as it travels. */
interface SentCell {
  readonly cell: Sql;
  readonly form: WireForm;
}

function sentCell(column: ColumnSchema, place: Place): SentCell {
  const type = valueType(column);
  if (kindOf(column).list || type.wire === undefined) return { cell: cellJson(column, ROW, place), form: 'json' };
  // What is computed may be of a type that is shown alike and sent otherwise; of a column of its own type the cast is nothing.
  return { cell: sql`(${cellOf(column, ROW)})::${SENT_AS[type.wire]}`, form: type.wire };
}

/** The types that have the forms. */
const SENT_AS: Readonly<Record<WireForm, Sql>> = {
  json: sql`text`,
  text: sql`text`,
  uuid: sql`uuid`,
  integer: sql`bigint`,
  decimal: sql`numeric`,
  boolean: sql`boolean`,
  date: sql`date`,
  instant: sql`timestamptz`,
};

/** Puts a record together as its text is read. */
class RecordBuilder {
  private readonly cells: Sql[] = [];
  private readonly slots: Slot[] = [];
  private readonly at = new Map<ColumnSchema | 'id', Slot>();
  private text = '';

  write(text: string): this {
    this.text += text;
    return this;
  }

  send({ cell, form }: SentCell, what?: ColumnSchema | 'id'): this {
    const slot = { before: between(this.text), field: this.cells.length, form };
    this.cells.push(cell);
    this.slots.push(slot);
    this.text = '';
    if (what !== undefined) this.at.set(what, slot);
    return this;
  }

  build(): RowRecord {
    return { cells: this.cells, template: { slots: this.slots, end: between(this.text) }, at: this.at };
  }
}

const system = (name: string, form: WireForm): SentCell => ({ cell: ident(ROW, name), form });

/** What is shown of rows in a list. */
type Shown = Pick<ReadPlan, 'select' | 'trashed' | 'expand'>;

const plainRecords = remembered((select: readonly ColumnSchema[]) =>
  remembered((place: Place): RowRecord => rowRecord({ select }, place)),
);

/** A row of a list in the shape of the API. */
export const listedRecord = (shown: Shown, place: Place): RowRecord =>
  shown.trashed === true || shown.expand !== undefined ? rowRecord(shown, place) : plainRecords(shown.select)(place);

/** With what was asked for besides. One in the trash has the time and the author of its last change, by which it went there. */
function rowRecord({ select, trashed = false, expand }: Shown, place: Place): RowRecord {
  const record = new RecordBuilder()
    .write('{"id":')
    .send(system('_id', 'uuid'), 'id')
    .write(',"version":')
    .send(system('_version', 'integer'))
    .write(',"fields":{');
  inOnePass(select).forEach((group, i) => {
    const [first] = group;
    record.write(`${i === 0 ? '' : ','}"${first.key}":`);
    if (group.length === 1) record.send(sentCell(first, place), first);
    else record.send({ cell: sharedJson(group, ROW, place), form: 'json' });
  });
  record
    .write('},"createdAt":')
    .send(system('_created_at', 'instant'))
    .write(',"createdBy":')
    .send(system('_created_by', 'uuid'))
    .write(',"updatedAt":')
    .send(system('_updated_at', 'instant'))
    .write(',"updatedBy":')
    .send(system('_updated_by', 'uuid'));
  if (trashed)
    record
      .write(',"deletedAt":')
      .send(system('_deleted_at', 'instant'))
      .write(',"deletedBy":')
      .send(system('_updated_by', 'uuid'));
  if (expand !== undefined) record.write(',"expanded":').send({ cell: expandedJson(ROW, expand), form: 'json' });
  return record.write('}').build();
}

/** `{"fields":{…}}`, of columns that each may be of another place; keys of external ones are whatever they are called there. */
export function fieldsRecord(select: readonly ColumnSchema[], placeOf: (column: ColumnSchema) => Place): RowRecord {
  const record = new RecordBuilder().write('{"fields":{');
  select.forEach((column, i) => {
    record.write(`${i === 0 ? '' : ','}${JSON.stringify(column.key)}:`).send(sentCell(column, placeOf(column)), column);
  });
  return record.write('}}').build();
}

/**
 * What a cursor keeps of the row where a page ends: the canonical values of the cells that it is ordered by, as a JSON array. Cells that are not
 * shown are sent behind those that are.
 */
export function withPosition(
  record: RowRecord,
  orderBy: readonly OrderTerm[],
  place: Place,
): { readonly cells: readonly Sql[]; readonly position: RecordTemplate } {
  const cells = [...record.cells];
  const slots = orderBy.map(({ by }, i): Slot => {
    const before = between(i === 0 ? '[' : ',');
    const shown = record.at.get(by.kind === 'id' ? 'id' : by.column);
    if (shown) return { ...shown, before, form: exactly(shown.form) };
    const { cell, form } = by.kind === 'id' ? system('_id', 'uuid') : sentCell(by.column, place);
    return { before, field: cells.push(cell) - 1, form: exactly(form) };
  });
  return { cells, position: { slots, end: between(']') } };
}
