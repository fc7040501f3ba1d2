import { inSpan } from './spans.js';

/** A request becomes a plan: names are found, rights are asked, and what cannot be is refused. */
export const resolving = <T>(resolve: () => T): T => inSpan('plan.resolve', {}, resolve);

/** What the database gave becomes the answer. */
export const shaping = <T>(shape: () => T): T => inSpan('plan.shape', {}, shape);
