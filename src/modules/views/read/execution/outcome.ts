import type { Id } from '../../../../common/index.js';
import type { PageText } from '../../../../engines/index.js';
import type { ViewGroups, ViewRead } from '../../../../query/index.js';

/** How the rows of a view were put together. */
export const TIERS = ['push-down', 'lookup-join', 'join-engine'] as const;
export type Tier = (typeof TIERS)[number];

/** What was asked of one database, for people who want to know why a view takes the time that it takes. */
export interface SourceReport {
  /** Aliases of the sources that it answered for. */
  readonly as: readonly string[];
  /** A connection, or the mini-DB. */
  readonly connection: Id | null;
  /** What was sent, without values; made when somebody wants to know. */
  readonly text: () => string;
  /** How many rows came back. */
  readonly rows: number;
  readonly ms: number;
}

/** A page of a view, and how it came about. */
export interface Outcome {
  readonly page: Pick<PageText, 'data' | 'next' | 'prev' | 'count'>;
  readonly sources: readonly SourceReport[];
}

/** What a view is asked for. */
export type Question =
  { readonly kind: 'rows'; readonly plan: ViewRead } | { readonly kind: 'groups'; readonly plan: ViewGroups };

/** A way to answer a question, chosen before anything is asked. */
export interface Way {
  readonly tier: Tier;
  /** Why this one, in a sentence. */
  readonly reason: string;
  run(question: Question, signal: AbortSignal): Promise<Outcome>;
}

/** The work's result with the milliseconds that it took, to a tenth. */
export async function timed<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly ms: number }> {
  const begin = performance.now();
  const result = await work();
  return { result, ms: tenth(performance.now() - begin) };
}

export const tenth = (ms: number): number => Math.round(ms * 10) / 10;
