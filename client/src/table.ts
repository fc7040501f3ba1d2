import type { CallOptions, AnswerOf, Operation } from './http.js';
import type { Schemas } from './openapi.js';
import { RowNotShownError } from './problem.js';

/** A row over HTTP: what the API says of rows, with the type of the table's fields. */
export type Row<Fields> = Omit<Schemas['RowDto'], 'fields'> & { readonly fields: Fields };

/** A field of an update: its new value; for numbers a step; for lists what comes and goes. */
export type Change<Value> =
  | Value
  | (Value extends number | string | null ? { readonly $inc: number | string } : never)
  | (Value extends readonly (infer Item)[]
      ? { readonly $add?: readonly Item[]; readonly $remove?: readonly Item[] }
      : never);
export type Changes<Fields> = { readonly [Key in keyof Fields]?: Change<Fields[Key]> };

/** The filter tree: `{field, op, value}`, `{and: [...]}`, `{or: [...]}`, `{not: ...}`. */
export type Filter = Readonly<Record<string, unknown>>;

export interface ListOptions<Fields> {
  readonly filter?: Filter;
  readonly sort?: readonly { readonly field: keyof Fields & string; readonly dir?: 'asc' | 'desc' }[];
  /** Columns to read; all without it. */
  readonly fields?: readonly (keyof Fields & string)[];
  readonly search?: string;
  /** Time zone that days of the filter are meant in; without it the workspace's. */
  readonly tz?: string;
  readonly trashed?: boolean;
  /** Rows per request, 1 to 1000. */
  readonly pageSize?: number;
}

/** How an update meets changes of others. Without any of it, the last writer wins field by field. */
export interface UpdateOptions {
  /** Only if the row has this version, else 412 with the row as it is. */
  readonly ifMatch?: number;
  /** What the change is based on, for `onConflict`. */
  readonly baseVersion?: number;
  /** `reject`: 409 if the row changed since; `merge`: 409 only where the same field did. */
  readonly onConflict?: 'overwrite' | 'reject' | 'merge';
  /** A repetition under the same key does nothing twice. */
  readonly idempotencyKey?: string;
}

export type BulkOperation<Fields> =
  | { readonly op: 'create'; readonly fields: Partial<Fields>; readonly ref?: string }
  | {
      readonly op: 'update';
      readonly id: string;
      readonly fields: Changes<Fields>;
      readonly version?: number;
      readonly ref?: string;
    }
  | {
      readonly op: 'upsert';
      readonly fields: Partial<Fields>;
      readonly matchOn: readonly (keyof Fields & string)[];
      readonly ref?: string;
    }
  | { readonly op: 'delete'; readonly id: string; readonly version?: number; readonly ref?: string };

type Call = <O extends Operation>(operation: O, options: CallOptions<O>) => Promise<AnswerOf<O>>;

/** The rows of one table. Everything may throw {@link ApiError}. */
export class Table<Fields extends object = Record<string, unknown>> {
  constructor(
    readonly id: string,
    private readonly call: Call,
  ) {}

  describe(): Promise<Schemas['TableDto']> {
    return this.call('GET /tables/{tableId}', { path: { tableId: this.id } });
  }

  /** All rows that fit, read page by page as they are taken. */
  async *list(options: ListOptions<Fields> = {}): AsyncGenerator<Row<Fields>, void, undefined> {
    let cursor: string | undefined;
    do {
      const page = await this.page(options, cursor);
      yield* page.data;
      cursor = page.page.nextCursor;
    } while (cursor !== undefined);
  }

  /** One page; `page.nextCursor` of the answer leads to the next, `meta` says which number of the table it is as of. */
  async page(
    { pageSize, filter, sort, fields, ...rest }: ListOptions<Fields> = {},
    cursor?: string,
  ): Promise<Omit<Schemas['RowListDto'], 'data'> & { readonly data: readonly Row<Fields>[] }> {
    const answer = await this.call('POST /tables/{tableId}/rows/query', {
      path: { tableId: this.id },
      body: {
        ...rest,
        ...(filter === undefined ? {} : { filter }),
        ...(sort === undefined ? {} : { sort: [...sort] }),
        ...(fields === undefined ? {} : { fields: [...fields] }),
        page: { limit: pageSize ?? 1000, ...(cursor === undefined ? {} : { cursor }) },
      },
    });
    // Groups come only where they are asked for.
    return answer as Schemas['RowListDto'] & { readonly data: readonly Row<Fields>[] };
  }

  async get(rowId: string): Promise<Row<Fields>> {
    return this.row(await this.call('GET /tables/{tableId}/rows/{rowId}', { path: this.at(rowId) }));
  }

  /** @throws RowNotShownError it is made, and rules of the table keep it from you */
  async create(
    fields: Partial<Fields>,
    { idempotencyKey }: Pick<UpdateOptions, 'idempotencyKey'> = {},
  ): Promise<Row<Fields>> {
    const body = { fields: { ...fields } };
    const headers = idempotent(idempotencyKey);
    return this.written(await this.call('POST /tables/{tableId}/rows', { path: { tableId: this.id }, body, headers }));
  }

  /** @throws RowNotShownError it is changed, and rules of the table keep from you what it has become */
  async update(
    rowId: string,
    fields: Changes<Fields>,
    { ifMatch, idempotencyKey, ...since }: UpdateOptions = {},
  ): Promise<Row<Fields>> {
    const headers = { ...idempotent(idempotencyKey), ...matching(ifMatch) };
    const body = { fields: { ...fields }, ...since };
    return this.written(
      await this.call('PATCH /tables/{tableId}/rows/{rowId}', { path: this.at(rowId), body, headers }),
    );
  }

  /** Into the trash. */
  async delete(rowId: string, { ifMatch }: Pick<UpdateOptions, 'ifMatch'> = {}): Promise<void> {
    await this.call('DELETE /tables/{tableId}/rows/{rowId}', { path: this.at(rowId), headers: matching(ifMatch) });
  }

  /** Out of the trash. */
  async restore(rowId: string): Promise<Row<Fields>> {
    return this.written(await this.call('POST /tables/{tableId}/rows/{rowId}/restore', { path: this.at(rowId) }));
  }

  /** Up to 1,000 operations: all or none (`atomic`), or each for itself (`partial`). */
  bulk(
    ops: readonly BulkOperation<Fields>[],
    {
      mode = 'atomic',
      idempotencyKey,
    }: { readonly mode?: 'atomic' | 'partial'; readonly idempotencyKey?: string } = {},
  ): Promise<Schemas['BulkAnswerDto']> {
    return this.call('POST /tables/{tableId}/rows/bulk', {
      path: { tableId: this.id },
      body: { mode, ops: ops as unknown as Schemas['BulkDto']['ops'] },
      headers: idempotent(idempotencyKey),
    });
  }

  /** Takes back the last change of this client (its `clientId`) that is not taken back yet, as a new change. */
  undo(): Promise<Schemas['UndoneDto']> {
    return this.call('POST /tables/{tableId}/undo', { path: { tableId: this.id }, body: {} });
  }

  /** Does again what {@link undo} took back last. */
  redo(): Promise<Schemas['UndoneDto']> {
    return this.call('POST /tables/{tableId}/redo', { path: { tableId: this.id }, body: {} });
  }

  private at(rowId: string): { tableId: string; rowId: string } {
    return { tableId: this.id, rowId };
  }

  private written(answer: Schemas['RowDto'] | undefined): Row<Fields> {
    if (answer === undefined) throw new RowNotShownError();
    return this.row(answer);
  }

  private row(row: Schemas['RowDto']): Row<Fields> {
    return row as Schemas['RowDto'] & { readonly fields: Fields };
  }
}

const idempotent = (key: string | undefined): Record<string, string> =>
  key === undefined ? {} : { 'idempotency-key': key };
const matching = (version: number | undefined): Record<string, string> =>
  version === undefined ? {} : { 'if-match': `"${version}"` };
