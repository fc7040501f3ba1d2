import { applyDecorators } from '@nestjs/common';
import { ApiAcceptedResponse, ApiBody, ApiConsumes, ApiHeader } from '@nestjs/swagger';
import { ApiProblems, IgnoresIdempotencyKey, Traits, type ErrorCode } from '../../../common/index.js';
import { CSV, NDJSON } from './import.service.js';
import { ImportJobDto } from './jobs/import-job.dto.js';

/** What both ways of sending a file have in common; `problems` are those of one of them. */
export const TakesFile = (...problems: readonly ErrorCode[]) =>
  applyDecorators(
    // An import knows by itself what of it is done: its key is kept with it.
    IgnoresIdempotencyKey(),
    Traits({ streamed: [CSV, NDJSON] }),
    ApiConsumes(CSV, NDJSON),
    ApiBody({ schema: { type: 'string' } }),
    ApiHeader({
      name: 'Prefer',
      required: false,
      description: '`respond-async`: answers when the file has arrived, and imports it in the background (RFC 7240)',
      example: 'respond-async',
    }),
    ApiAcceptedResponse({
      type: ImportJobDto,
      description: 'With `Prefer: respond-async`. `Location` is where to look how far it is.',
    }),
    ApiProblems(
      'not_found',
      'role_too_low',
      'bad_request',
      'validation_failed',
      'import_failed',
      'import_cancelled',
      'limit_reached',
      'payload_too_large',
      'unsupported_media_type',
      'schema_busy',
      'storage_unavailable',
      'overloaded',
      ...problems,
    ),
  );
