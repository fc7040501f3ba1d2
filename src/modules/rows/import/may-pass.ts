import { Problem } from '../../../common/index.js';

/** Whether what an import failed with may be otherwise the next time: a database that is away, a structure that is being changed. */
export const mayPass = (error: unknown): boolean =>
  !(error instanceof Problem) || error.status >= 500 || error.code === 'schema_busy';
