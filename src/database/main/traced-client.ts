import pg from 'pg';
import { inSpan, SpanKind, type Attributes } from '../../common/index.js';

type Query = (this: pg.Client, ...args: unknown[]) => unknown;

/**
 * A client of `pg` that shows each statement as a stage of the span that is open: by its first word and the first table that it names, which are ours. Neither
 * its text nor its parameters are in the span. Given to the pool only where something is traced.
 */
export class TracedClient extends pg.Client {}

const query = Reflect.get(pg.Client.prototype, 'query') as unknown as Query;

// Not an override, whose type would be the eight of `pg`.
Object.defineProperty(TracedClient.prototype, 'query', {
  value: function (this: pg.Client, ...args: unknown[]): unknown {
    const text = textOf(args[0]);
    const answersByItself = args.every((each) => typeof each !== 'function');
    if (text === undefined || !answersByItself) return query.apply(this, args);
    return inSpan('main.execute', attributesOf(text), () => query.apply(this, args), SpanKind.CLIENT);
  },
});

const textOf = (asked: unknown): string | undefined => {
  if (typeof asked === 'string') return asked;
  return typeof asked === 'object' && asked !== null && 'text' in asked && typeof asked.text === 'string'
    ? asked.text
    : undefined;
};

/** Names are quoted by TypeORM; what is not there is left out. */
function attributesOf(text: string): Attributes {
  const start = text.slice(0, 2_000);
  const [operation] = /^\s*\w+/.exec(start) ?? [];
  const [, table] = /\b(?:from|into|update)\s+"?([a-z_]+)"?/i.exec(start) ?? [];
  return {
    'db.system.name': 'postgresql',
    ...(operation === undefined ? {} : { 'db.operation.name': operation.trim().toUpperCase() }),
    ...(table === undefined ? {} : { 'db.collection.name': table }),
  };
}
