import { Injectable } from '@nestjs/common';
import {
  API_PREFIX,
  invalid,
  JsonText,
  must,
  newId,
  notFound,
  Problem,
  type Access,
  type Id,
  type ProblemItem,
} from '../../../common/index.js';
import { LinksRefused, MiniDbLookup, MiniDbWriter, type OpResult, type WriteResult } from '../../../engines/index.js';
import { completeNewRow, resolveFieldValues, type RowOp, type TableSchema } from '../../../query/index.js';
import { contextOf } from '../../tables/index.js';
import { bodyOf } from '../body.js';
import { Fence } from '../fence.js';
import { defaultsFor } from './defaults-for.js';
import { Referents } from './referents.js';

/** Use cases of changing one row. */
@Injectable()
export class RowsWriter {
  constructor(
    private readonly fence: Fence,
    private readonly writer: MiniDbWriter,
    private readonly lookup: MiniDbLookup,
    private readonly referents: Referents,
  ) {}

  /** @throws Problem `validation_failed`, `unique_violation` */
  create(access: Access, tableId: Id, body: unknown): Promise<JsonText> {
    return this.fence.run(tableId, async ({ tableSchema }) => {
      const errors: ProblemItem[] = [];
      const values = completeNewRow(
        resolveFieldValues(fieldsOf(body), tableSchema, '/fields', errors),
        tableSchema,
        '/fields',
        errors,
        defaultsFor(access),
      );
      if (errors.length > 0) throw invalid(errors);
      const { op, write, ms } = await this.change(access, tableSchema, { kind: 'create', id: newId(), values });
      const location = `/${API_PREFIX}/tables/${tableId}/rows/${op.id}`;
      return new JsonText(must(op.json, 'a created row has its text'), {
        status: 201,
        headers: { location, ...headers(op, write) },
        databaseMs: ms,
        committed: true,
      });
    });
  }

  /**
   * Changes the given fields; what stays the same makes no version.
   * @throws Problem `validation_failed`, `not_found`, `version_mismatch`, `unique_violation`
   */
  update(access: Access, tableId: Id, rowId: Id, body: unknown, ifMatch: string | undefined): Promise<JsonText> {
    return this.fence.run(tableId, async ({ tableSchema }) => {
      const op = await this.judged(tableSchema, rowId, () => updateOf(tableSchema, rowId, body, ifMatch));
      const { op: done, write, ms } = await this.change(access, tableSchema, op);
      return new JsonText(must(done.json, 'an updated row has its text'), {
        headers: headers(done, write),
        databaseMs: ms,
        committed: true,
      });
    });
  }

  /** Into the trash. @throws Problem `not_found`, `version_mismatch` */
  remove(access: Access, tableId: Id, rowId: Id, ifMatch: string | undefined): Promise<{ readonly seq: number }> {
    return this.fence.run(tableId, async ({ tableSchema }) => {
      const op = await this.judged(tableSchema, rowId, () => deleteOf(rowId, ifMatch));
      const { write } = await this.change(access, tableSchema, op);
      return { seq: write.seq };
    });
  }

  /** What is wrong with a request to a row that is not there is not said: 404 goes before 400 and 422. Only a refusal costs the look. */
  private async judged(table: TableSchema, rowId: Id, read: () => RowOp): Promise<RowOp> {
    try {
      return read();
    } catch (refusal) {
      if ((await this.lookup.versions(table, [rowId])).size === 0) throw notFound('row');
      throw refusal;
    }
  }

  private async change(
    access: Access,
    table: TableSchema,
    op: RowOp,
  ): Promise<{ op: OpResult; write: WriteResult; ms: number }> {
    const startedAt = performance.now();
    const write = await this.write(access, table, op);
    const result = must(write.ops[0], 'a write of one op has one result');
    if (result.status === 'not_found') throw notFound('row');
    if (result.status === 'version_mismatch') throw versionMismatch(result);
    return { op: result, write, ms: performance.now() - startedAt };
  }

  /** @throws Problem `validation_failed` what the values lead to is not there */
  private async write(access: Access, table: TableSchema, op: RowOp): Promise<WriteResult> {
    const missing = await this.referents.judge(access, table, [{ index: 0, op }]);
    if (missing.size > 0) throw invalid([...missing.values()].flat());
    try {
      return await this.writer.write(table, { context: contextOf(access), atomic: true, ops: [op] });
    } catch (error) {
      throw error instanceof LinksRefused ? invalid([...error.findings.values()].flat()) : error;
    }
  }
}

function updateOf(table: TableSchema, id: Id, body: unknown, ifMatch: string | undefined): RowOp {
  const expected = expectedVersion(ifMatch);
  const errors: ProblemItem[] = [];
  const values = resolveFieldValues(fieldsOf(body), table, '/fields', errors);
  if (errors.length > 0) throw invalid(errors);
  return { kind: 'update', id, values, ...expected };
}

const deleteOf = (id: Id, ifMatch: string | undefined): RowOp => ({ kind: 'delete', id, ...expectedVersion(ifMatch) });

const fieldsOf = (body: unknown): unknown => bodyOf(body, '', ['fields']).fields;

const headers = (op: OpResult, write: WriteResult): Record<string, string> => ({
  etag: `"${op.version ?? ''}"`,
  'live-seq': String(write.seq),
});

/** 412 with the row as it is now, so that the client can show or merge it. */
function versionMismatch({ version, json }: OpResult): Problem {
  return new Problem('version_mismatch', {
    detail: `The row has version ${version ?? 0} now.`,
    extra: { current: JSON.parse(json ?? 'null') as unknown },
    headers: { etag: `"${version ?? ''}"` },
  });
}

/** `If-Match` with one strong entity tag (RFC 9110 section 13.1.1), or `*`. @throws Problem `bad_request` when it is neither */
function expectedVersion(ifMatch: string | undefined): { readonly expectedVersion?: number } {
  if (ifMatch === undefined || ifMatch.trim() === '*') return {};
  const version = /^\s*"(0|[1-9]\d{0,8})"\s*$/.exec(ifMatch)?.[1];
  if (version === undefined)
    throw new Problem('bad_request', { detail: 'If-Match is the ETag of a row, such as "7", or *.' });
  return { expectedVersion: Number(version) };
}
