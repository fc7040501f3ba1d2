import { Injectable } from '@nestjs/common';
import { JsonText, must, notFound, Problem, type Access, type Id, type QueryFacts } from '../../../common/index.js';
import { actorOf, AuditedTransaction } from '../../../database/main/index.js';
import type { ExternalEngine, Mutated } from '../../../engines/index.js';
import {
  columnByKey,
  Objects,
  resolveSource,
  writeShape,
  type Condition,
  type Mutation,
  type ObjectColumn,
  type Scalar,
} from '../../../query/index.js';
import { EventBus } from '../../events/index.js';
import { ExternalObjectsReader, type ExternalObjects } from './external-objects.js';
import { mutationAsked } from './mutation-request.js';
import { fieldsToKeep, withExactNumbers } from './told-row.js';

const DONE = { insert: 'inserted', update: 'updated', delete: 'deleted' } as const;

/** A longer row is not sent around: whoever wants it reads it. */
const MAX_TOLD = 64 * 1024;

/** Changes of single rows of external databases, each of which leaves its entry in the audit log. */
@Injectable()
export class ExternalMutations {
  constructor(
    private readonly reader: ExternalObjectsReader,
    private readonly transaction: AuditedTransaction,
    private readonly bus: EventBus,
  ) {}

  /**
   * @throws Problem `read_only_connection`; `not_found` no row of this key; `version_mismatch` it does not hold what was expected;
   *   `unique_violation`, `constraint_violation`; those of the database
   */
  run(access: Access, connectionId: Id, body: unknown): Promise<JsonText> {
    return this.reader.with(access.workspaceId, connectionId, async (objects) => {
      if (objects.access !== 'read-write')
        throw new Problem('read_only_connection', { detail: `${objects.name} can only be read.` });
      const mutation = mutationAsked(body, objects.objects);
      const begin = performance.now();
      const done = await objects.engine.mutate(mutation, (mutated) =>
        this.record(access, connectionId, objects, mutation, mutated),
      );
      const databaseMs = performance.now() - begin;
      if (!done) throw await this.whyNot(objects.engine, mutation);
      this.announce(access, connectionId, mutation, done);
      const queryFacts = (): QueryFacts => ({ kind: 'write', plan: shapeOf(mutation), rows: 1 });
      return new JsonText(answerOf(mutation, done), { committed: true, databaseMs, queryFacts });
    });
  }

  /** Before the change is final: none is left out of the log. One that the database then does not make final stands there all the same. */
  private record(
    access: Access,
    connectionId: Id,
    { name }: ExternalObjects,
    mutation: Mutation,
    { before, after }: Mutated,
  ): Promise<void> {
    const object = nameOf(mutation);
    const entry = {
      workspaceId: access.workspaceId,
      action: `external_row.${DONE[mutation.op]}`,
      resource: { type: 'external_row', id: connectionId, name: `${name}: ${object}` },
      ...(before === null ? {} : { before: { object, fields: fieldsToKeep(before) } }),
      ...(after === null ? {} : { after: { object, fields: fieldsToKeep(after) } }),
    };
    // At once, whatever becomes of the request around it: the other database does not wait for that either.
    return this.transaction.run(
      actorOf(access),
      () => Promise.resolve({ result: undefined, audit: [entry], events: [] }),
      { apart: true },
    );
  }

  private announce(access: Access, connectionId: Id, mutation: Mutation, { before, after }: Mutated): void {
    const { principal, request } = access;
    const row = after ?? before ?? '{}';
    this.bus.publish('object.changed', {
      connectionId,
      workspaceId: access.workspaceId,
      object: nameOf(mutation),
      op: mutation.op,
      row: row.length > MAX_TOLD ? '' : withExactNumbers(row),
      actorId: principal.userId,
      actorName: principal.name,
      clientId: request.clientId ?? '',
    });
  }

  private async whyNot(engine: ExternalEngine, mutation: Mutation): Promise<Problem> {
    if (mutation.op === 'insert') return new Problem('source_failed');
    const source = resolveSource({ from: nameOf(mutation), joins: [] }, new Objects([mutation.object]));
    const key = mutation.key.map(({ column, value }) => ({
      column: must(columnByKey(source, column.key), 'a column of the key') as ObjectColumn,
      value: value as Scalar,
    }));
    const there = await engine.read({
      from: source,
      select: key.map(({ column }) => column),
      where: {
        kind: 'and',
        items: key.map(({ column, value }): Condition => ({ kind: 'compare', column, op: 'eq', value })),
      },
      orderBy: key.map(({ column }) => ({ by: { kind: 'column', column }, dir: 'asc' })),
      limit: 1,
      count: 'none',
    });
    if (there.rows === 0) return notFound('row');
    // It can be read, and not be had to be changed: row security of PostgreSQL.
    if (mutation.expected.length === 0)
      return new Problem('source_failed', { detail: 'The user of the connection may not change this row.' });
    return new Problem('version_mismatch', { detail: 'The row does not hold what was expected any more.' });
  }
}

const nameOf = ({ object }: Mutation): string => `${object.physical.schema}.${object.physical.table}`;

const shapeOf = (mutation: Mutation): string => {
  const cells = mutation.op === 'delete' ? [] : mutation.values;
  const values = new Map(cells.map(({ column, value }) => [column, value]));
  return writeShape(mutation.object, [{ kind: mutation.op, values }]);
};

const answerOf = (mutation: Mutation, { before, after }: Mutated): string =>
  `{"object":${JSON.stringify(nameOf(mutation))},"op":"${mutation.op}","before":${before ?? 'null'},"after":${after ?? 'null'}}`;
