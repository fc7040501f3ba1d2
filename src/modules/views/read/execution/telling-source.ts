import { Problem, type ErrorCode, type Id } from '../../../../common/index.js';

/** What says something of one external database, of which a view has several. */
const OF_A_SOURCE: ReadonlySet<ErrorCode> = new Set([
  'host_not_allowed',
  'source_unreachable',
  'source_failed',
  'source_busy',
  'source_timeout',
  'source_changed',
  'answer_too_large',
  'not_supported_by_source',
]);

/** Does the work of one external database; its problems say which one it is. */
export async function tellingSource<T>(
  { id, name }: { readonly id: Id; readonly name: string },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Problem) || !OF_A_SOURCE.has(error.code)) throw error;
    const { code, detail, errors, headers } = error;
    throw new Problem(code, {
      detail: `${name}: ${detail ?? error.message}`,
      extra: { ...error.extra, source: { connection: id, name } },
      cause: error,
      ...(errors ? { errors } : {}),
      ...(headers ? { headers } : {}),
    });
  }
}
