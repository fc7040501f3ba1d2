import { Inject, Injectable } from '@nestjs/common';
import type { Id } from '../../../common/index.js';
import { APP_CONFIG, encryptionKeysOf, type AppConfig } from '../../../config/index.js';
import {
  canRollUp,
  CursorCodec,
  kindOf,
  MAX_AGGREGATES,
  resolveSource,
  resolveSourceGroups,
  type AggregateInput,
  type ObjectSchema,
} from '../../../query/index.js';
import { ExternalObjectsReader } from './external-objects.js';

/** Names under which people keep a number that grows with each change of a row. */
const VERSION = /^_*(row_?)?(version|rev|revision)$/i;

/** An object of a connection. */
export interface ExternalObject {
  readonly workspaceId: Id;
  readonly connectionId: Id;
  /** `schema.name` */
  readonly name: string;
}

/** Something short that is another after most changes of an object, asked of its database by one statement. */
@Injectable()
export class ObjectDigests {
  private readonly cursors: CursorCodec;

  constructor(
    private readonly reader: ExternalObjectsReader,
    @Inject(APP_CONFIG) config: AppConfig,
  ) {
    this.cursors = new CursorCodec(...encryptionKeysOf(config));
  }

  /** @throws Problem `not_found`, `validation_failed` there is no such object any more; those of the database */
  digestOf({ workspaceId, connectionId, name }: ExternalObject, signal: AbortSignal): Promise<string> {
    return this.reader.with(workspaceId, connectionId, async ({ engine, objects }) => {
      const source = resolveSource({ from: name, joins: [] }, objects);
      const { plan } = resolveSourceGroups(
        { groupBy: [], aggregates: aggregatesOf(source.object), sort: [], limit: 1, count: 'none', timeZone: 'UTC' },
        source,
        engine.capabilities,
        this.cursors,
        { now: new Date(), zone: 'UTC' },
      );
      return (await engine.readGroups(plan, signal)).data;
    });
  }
}

/** Rows come and go: their number and the greatest key. Rows change: their versions taken together, and the latest of each time. */
function aggregatesOf({ key, columns }: ObjectSchema): readonly AggregateInput[] {
  const versions = columns.filter((column) => VERSION.test(column.key) && canRollUp(kindOf(column), 'sum'));
  const greatest = [...key, ...columns.filter(({ type }) => type === 'datetime')].filter((column) =>
    canRollUp(kindOf(column), 'max'),
  );
  const of = [
    ...versions.map((column) => ({ fn: 'sum', field: column.key })),
    ...[...new Set(greatest)].map((column) => ({ fn: 'max', field: column.key })),
  ];
  return [{ fn: 'count' }, ...of].slice(0, MAX_AGGREGATES).map((one, n) => ({ as: `a${n}`, ...one }));
}
