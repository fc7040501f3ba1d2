import { Body, Controller, HttpCode, Param, Post, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  ApiProblems,
  ClaimsIdempotencyKey,
  CurrentAccess,
  IdPipe,
  IgnoresIdempotencyKey,
  LimitedBy,
  Requires,
  type Access,
  type AppRequest,
  type Id,
} from '../../../common/index.js';
import { ExternalMutations } from './external-mutations.service.js';
import { ExternalQuery } from './external-query.service.js';
import { ExternalQueryDto, ExternalRowsDto, MutatedDto, MutationDto } from './query.dto.js';
import { whileConnected } from './while-connected.js';

/** All members of a question together are no question: groups do not go with fields. */
const QUERY_EXAMPLE = {
  from: 'public.customers',
  filter: { field: 'country', op: 'eq', value: 'DE' },
  sort: [{ field: 'name', dir: 'asc' }],
  page: { limit: 100 },
};
const MUTATION_EXAMPLE = { object: 'public.customers', op: 'update', key: { id: 1 }, values: { name: 'Acme' } };

@ApiTags('Connections')
@ApiBearerAuth()
@Controller('connections/:connectionId')
export class ExternalQueryController {
  constructor(
    private readonly queries: ExternalQuery,
    private readonly mutations: ExternalMutations,
  ) {}

  @Post('query')
  @HttpCode(200)
  @Requires('external:read')
  @LimitedBy('external')
  @IgnoresIdempotencyKey()
  @ApiOperation({
    summary: 'Read rows of an external database, or groups of them',
    description:
      'Asked and answered as rows of tables of ours, with the same rules for nulls, letter case, order, decimals and dates on every database. ' +
      'What a kind of database cannot do is refused with the reason.',
  })
  @ApiBody({ type: ExternalQueryDto, examples: { rows: { value: QUERY_EXAMPLE } } })
  @ApiOkResponse({ type: ExternalRowsDto })
  @ApiProblems(
    'not_found',
    'filter_invalid',
    'sort_invalid',
    'cursor_invalid',
    'cursor_mismatch',
    'validation_failed',
    'limit_reached',
    'not_supported_by_source',
    'answer_too_large',
    'host_not_allowed',
    'source_changed',
    'source_unreachable',
    'source_failed',
    'source_busy',
    'source_timeout',
  )
  query(
    @CurrentAccess() access: Access,
    @Param('connectionId', IdPipe) connectionId: Id,
    @Body() body: unknown,
    @Req() request: AppRequest,
  ) {
    return whileConnected(request, (signal) => this.queries.run(access, connectionId, body, signal));
  }

  @Post('mutate')
  @HttpCode(200)
  @Requires('external:write')
  @LimitedBy('external')
  @ClaimsIdempotencyKey()
  @ApiOperation({
    summary: 'Change one row of an external database',
    description:
      'By its primary key, where the access of the connection is `read-write`. It is audited with the row before and after, and announced on the channel of the object.',
  })
  @ApiBody({ type: MutationDto, examples: { update: { value: MUTATION_EXAMPLE } } })
  @ApiOkResponse({ type: MutatedDto })
  @ApiProblems(
    'not_found',
    'role_too_low',
    'read_only_connection',
    'validation_failed',
    'version_mismatch',
    'unique_violation',
    'constraint_violation',
    'not_supported_by_source',
    'host_not_allowed',
    'source_changed',
    'source_unreachable',
    'source_failed',
    'source_busy',
    'source_timeout',
  )
  mutate(@CurrentAccess() access: Access, @Param('connectionId', IdPipe) connectionId: Id, @Body() body: unknown) {
    return this.mutations.run(access, connectionId, body);
  }
}
