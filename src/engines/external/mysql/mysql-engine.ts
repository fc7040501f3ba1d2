import {
  canCompute,
  compileMutation,
  MYSQL,
  MYSQL_BY_BYTES,
  type Mutation,
  type ObjectCell,
  type SqlDialect,
} from '../../../query/index.js';
import type {
  ConnectionTarget,
  ExternalCapabilities,
  ExternalLimits,
  FoundObject,
  Mutated,
  Outbound,
} from '../external-engine.js';
import type { Moment } from '../sql/session.js';
import { SqlEngine, type Output, type Row } from '../sql/sql-engine.js';
import { discover } from './discover.js';
import { isOfCollations, translate } from './mysql-errors.js';
import { objectJson } from './row-json.js';
import { MysqlSession } from './session.js';

/** A MySQL (from 8.0 on) or MariaDB (from 10.5 on) of somebody. */
export class MysqlEngine extends SqlEngine<MysqlSession> {
  readonly capabilities: ExternalCapabilities = {
    joins: true,
    jsonPaths: false,
    timeZones: false,
    computes: (column) => canCompute(column, MYSQL),
  };

  constructor(
    target: ConnectionTarget,
    limits: ExternalLimits,
    private readonly outbound: Outbound,
  ) {
    super(target, limits, MYSQL);
  }

  protected open(signal?: AbortSignal): Promise<MysqlSession> {
    return MysqlSession.open(this.target, this.limits, this.outbound, signal);
  }

  protected translate(error: unknown, during: Moment): unknown {
    return translate(error, during);
  }

  protected look(session: MysqlSession, signal?: AbortSignal): Promise<readonly FoundObject[]> {
    return discover(session, this.limits, signal);
  }

  protected objectJson(outputs: readonly Output[], cells: Row): string {
    return objectJson(outputs, cells);
  }

  /** Such statements are refused before they do anything, and few know beforehand: it takes the collations of both sides and each sign of a value. */
  protected override async inDialect<T>(ask: (dialect: SqlDialect) => Promise<T>): Promise<T> {
    try {
      return await ask(MYSQL);
    } catch (error) {
      if (!isOfCollations(error)) throw error;
      return ask(MYSQL_BY_BYTES);
    }
  }

  protected async insert(
    session: MysqlSession,
    mutation: Extract<Mutation, { readonly op: 'insert' }>,
  ): Promise<Mutated> {
    await session.run(compileMutation(mutation, MYSQL), 0);
    const key = keyOfInserted(mutation, session.insertId);
    return { before: null, after: key ? await this.rowOf(session, mutation.object, key) : null };
  }
}

/** By what an inserted row is found again: values that were given, or the number that the database gave. */
function keyOfInserted(
  { object, values }: Extract<Mutation, { readonly op: 'insert' }>,
  insertId: string,
): readonly ObjectCell[] | undefined {
  const cells = object.key.map((column): ObjectCell | undefined => {
    const given = values.find((cell) => cell.column === column && cell.value !== null);
    return given ?? (insertId === '0' || object.key.length > 1 ? undefined : { column, value: insertId });
  });
  const known = cells.filter((cell) => cell !== undefined);
  return known.length > 0 && known.length === cells.length ? known : undefined;
}
