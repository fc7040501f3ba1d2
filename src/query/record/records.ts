import type { LentText } from '../../common/index.js';
import { sourceOf, WORST, type Source, type TextLimit } from './json-bytes.js';
import { JsonValues } from './json-values.js';
import type { Piece } from './piece.js';
import type { RecordTemplate } from './record-template.js';
import type { RecordForm } from './wire-form.js';

/** A text is written whole without anybody else in between, so one serves all. */
const json = new JsonValues();

function announce({ slots, end }: RecordTemplate): void {
  for (const { before } of slots) json.announce(before);
  json.announce(end);
}

/** Of a record: how many fields it has. */
const RECORD_HEAD = 4;
/** Of a field: the number of its type, and its length, −1 for null. */
const FIELD_HEAD = 8;
/** Whatever is no text and no decimal is written in so many bytes. */
const SMALL = 48;

function startsOf({ bytes, view }: Source): readonly number[] {
  const starts: number[] = [];
  let at = 0;
  const skip = (length: number): void => {
    at += length;
    if (at > bytes.length) throw new Error('not a list of records');
  };
  while (at < bytes.length) {
    starts.push(at);
    skip(RECORD_HEAD);
    const fields = view.getInt32(at - RECORD_HEAD);
    for (let i = 0; i < fields; i++) {
      skip(FIELD_HEAD);
      skip(Math.max(0, view.getInt32(at - 4)));
    }
  }
  return starts;
}

/** Records in PostgreSQL's binary form (record_send), one behind the other: read where they are, and only as long as that memory is the caller's. */
export class Records {
  /** @param starts where each begins @throws Error for what are no records */
  constructor(
    private readonly from: Source,
    private readonly starts: readonly number[] = startsOf(from),
  ) {}

  /** @throws Error for what are no records */
  static in(bytes: Buffer): Records {
    return new Records(sourceOf(bytes));
  }

  get count(): number {
    return this.starts.length;
  }

  /** Those from one to before another, in the form of the template, with `separator` between. */
  texts(template: RecordTemplate, from: number, to: number, separator: Piece, limit?: TextLimit): string {
    return json.whole(() => this.writeAll(template, from, to, separator), limit);
  }

  /** The same, a long text in memory that has to be given back. */
  lentTexts(template: RecordTemplate, from: number, to: number, separator: Piece): string | LentText {
    return json.lent(() => this.writeAll(template, from, to, separator));
  }

  text(template: RecordTemplate, index: number): string {
    return json.whole(() => {
      announce(template);
      this.write(template, index);
    });
  }

  private writeAll(template: RecordTemplate, from: number, to: number, separator: Piece): void {
    announce(template);
    for (let i = from; i < to; i++) {
      json.reserve(separator.length);
      if (i > from) json.constant(separator);
      this.write(template, i);
    }
  }

  private write({ slots, end }: RecordTemplate, index: number): void {
    const { view } = this.from;
    const first = this.startOf(index) + RECORD_HEAD;
    let [field, at] = [0, first];
    for (const { before, field: wanted, form } of slots) {
      if (wanted < field) [field, at] = [0, first];
      for (; field < wanted; field++) at += FIELD_HEAD + Math.max(0, view.getInt32(at + 4));
      const length = view.getInt32(at + 4);
      json.reserve(before.length + SMALL + length * WORST);
      json.constant(before);
      if (length < 0) json.null();
      else this.writeField(form, at + FIELD_HEAD, length);
    }
    json.reserve(end.length);
    json.constant(end);
  }

  private startOf(index: number): number {
    const start = this.starts[index];
    if (start === undefined) throw new Error('there is no such record');
    return start;
  }

  private writeField(form: RecordForm, start: number, length: number): void {
    const { from } = this;
    switch (form) {
      case 'json':
        json.raw(from, start, length);
        return;
      case 'text':
        json.text(from, start, length);
        return;
      case 'uuid':
        json.uuid(from, start);
        return;
      case 'integer':
        json.integer(from, start, length);
        return;
      case 'decimal':
        json.decimal(from, start);
        return;
      case 'boolean':
        json.boolean(from, start);
        return;
      case 'date':
        json.date(from, start);
        return;
      case 'instant':
        json.instant(from, start);
        return;
      case 'bigint':
        json.bigint(from, start);
        return;
      case 'float':
        json.float(from, start, length);
        return;
      case 'zoned':
        json.exactInstant(from, start, '+00');
        return;
      case 'local':
        json.exactInstant(from, start, '');
        return;
      case 'bytea':
        json.bytea(from, start, length);
        return;
    }
  }
}
