import { ApiHeader } from '@nestjs/swagger';
import { Answer, created, type ErrorCode } from '../../common/index.js';
import type { ViewDto } from './view.dto.js';

/** What routes of views have in common. */

export const VIEW_ETAG = {
  ETag: { description: 'The version of the view', schema: { type: 'string' as const, example: '"1"' } },
};

export const IfMatch = (): MethodDecorator =>
  ApiHeader({
    name: 'If-Match',
    required: false,
    description: 'The `ETag` of the view as you saw it; a view that has another version by then is left as it is.',
    schema: { type: 'string', example: '"1"' },
  });

/** What may be wrong with a definition, and with the databases that have to be asked for what is in them. */
export const DEFINITION_PROBLEMS = [
  'filter_invalid',
  'sort_invalid',
  'formula_invalid',
  'not_supported_by_source',
  'host_not_allowed',
  'source_changed',
  'source_unreachable',
  'source_failed',
  'source_busy',
  'source_timeout',
] as const satisfies readonly ErrorCode[];

/** What may be wrong with a question to a view. */
export const READING_PROBLEMS = [
  'not_found',
  'validation_failed',
  'cursor_invalid',
  'cursor_mismatch',
  'schema_busy',
  'limit_reached',
  'answer_too_large',
  'join_too_large',
  ...DEFINITION_PROBLEMS,
] as const satisfies readonly ErrorCode[];

export const withTag = (view: ViewDto): Answer<ViewDto> => new Answer(view, { headers: tagOf(view) });

export function madeView(view: ViewDto): Answer<ViewDto> {
  const { body, options } = created(`/views/${view.id}`, view);
  return new Answer(body, { ...options, headers: { ...options.headers, ...tagOf(view) } });
}

const tagOf = ({ version }: ViewDto): Readonly<Record<string, string>> => ({ etag: `"${version}"` });
