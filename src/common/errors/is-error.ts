import { types } from 'node:util';

/** Whether it is an Error, also one of another realm (a worker, a test runner's sandbox), which `instanceof` does not see. */
export const isError = (value: unknown): value is Error => value instanceof Error || types.isNativeError(value);
