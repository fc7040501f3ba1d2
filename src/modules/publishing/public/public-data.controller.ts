import { Controller, Get, HttpCode, Options, Param, Query, Req, Res, UseGuards } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import {
  ApiExcludeEndpoint,
  ApiExtraModels,
  ApiHeader,
  ApiOkResponse,
  ApiOperation,
  ApiResponse,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import { SkipThrottle } from '@nestjs/throttler';
import {
  Answer,
  answerDirectly,
  ApiProblems,
  Public,
  Traits,
  type AppReply,
  type AppRequest,
} from '../../../common/index.js';
import { PUBLIC_PREFIX } from '../public-path.js';
import { Admission } from './admission.js';
import { answerPreflight, vary } from './cors.js';
import { PublicDataService } from './public-data.service.js';
import { PublicDataQuery, PublicRowsDto, PublicStreamQuery } from './public-data-query.dto.js';
import { CurrentVisit, PublicationGuard } from './publication.guard.js';
import type { Visit } from './publication.js';
import { Wishes } from './wishes.js';

const PAGE = {
  'application/json': { schema: { $ref: getSchemaPath(PublicRowsDto) } },
  'text/csv': { schema: { type: 'string' }, example: 'name,qty\r\nAcme,3\r\n' },
  'application/x-ndjson': { schema: { type: 'string' }, example: '{"name":"Acme","qty":3}\n' },
} as const;

const EVENTS = {
  'text/event-stream': {
    schema: { type: 'string' },
    example: 'id: 3f2Yk0\nevent: data\ndata: {"data":[{"name":"Acme","qty":3}],"page":{"limit":50}}\n\n',
  },
} as const;

/** What anybody reads of published views: beside the API, without an account. */
@ApiTags('Publishing')
@Controller(`${PUBLIC_PREFIX}/:slug`)
@SkipThrottle()
@ApiExtraModels(PublicRowsDto)
export class PublicDataController {
  constructor(
    private readonly service: PublicDataService,
    private readonly admission: Admission,
    private readonly wishes: Wishes,
    host: HttpAdapterHost,
  ) {
    answerDirectly(host, this, 'data');
  }

  /** Most calls by far come here, and most of them are answered from memory: it asks all itself, and the framework nothing. */
  @Get('data')
  @Public()
  @Traits({ cors: { origin: false } })
  @ApiOperation({
    summary: 'Read a page of a published view',
    description:
      'Without an account; where the view is published for keys, with one of them in `X-API-Key` or as bearer. Filters and orders are those that were declared, on the columns that were. ' +
      'Takes `If-None-Match`: what has not changed is 304.',
  })
  @ApiOkResponse({ description: 'Rows as flat objects, or as CSV or one JSON object a line.', content: PAGE })
  @ApiResponse({ status: 304, description: 'The reader has it already.' })
  @ApiProblems(
    ...(['not_found', 'api_key_invalid', 'view_broken', 'invalid_syntax', 'filter_invalid', 'sort_invalid'] as const),
    ...(['cursor_invalid', 'cursor_mismatch', 'limit_reached', 'source_unreachable', 'source_failed'] as const),
    ...(['source_busy', 'source_timeout', 'source_changed'] as const),
  )
  async data(
    @Req() request: AppRequest,
    @Res({ passthrough: true }) reply: AppReply,
    @Param('slug') _slug?: string,
    @Query() _query?: PublicDataQuery,
  ): Promise<Answer> {
    const visit = await this.admission.admit(request, reply);
    const wish = await this.wishes.of(visit, request);
    // The encoding also where nothing is compressed: caches would take what is plain for all that there is.
    vary(reply, 'accept-encoding', ...(wish.query.format === undefined ? ['Accept'] : []));
    return this.service.data(wish, visit, request);
  }

  @Get('stream')
  @UseGuards(PublicationGuard)
  @Public()
  @Traits({ cors: { origin: false }, compress: false })
  @ApiOperation({
    summary: 'Follow the first page of a published view',
    description:
      'Server-sent events, for a client that reads them as they come: it has no end, so a page that tries operations out shows nothing of it. Each `data` event is the page as it is then, whenever it has changed; ' +
      'its `id` is the ETag. A `problem` event says that there is nothing to show until the next `data` event. A comment every 15 s keeps the connection open.',
  })
  @ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    description: '`id` of the last event that the reader has; browsers send it by themselves.',
  })
  @ApiOkResponse({ description: 'Events, as long as the reader stays and may read.', content: EVENTS })
  @ApiProblems(
    ...(['not_found', 'api_key_invalid', 'view_broken', 'invalid_syntax', 'filter_invalid', 'sort_invalid'] as const),
    ...(['limit_reached', 'source_unreachable', 'source_failed', 'source_busy', 'source_timeout'] as const),
  )
  stream(
    @CurrentVisit() visit: Visit,
    @Param('slug') _slug: string,
    @Query() query: PublicStreamQuery,
    @Req() request: AppRequest,
  ): Promise<Answer> {
    return this.service.stream(visit, query, request);
  }

  @Get('openapi.json')
  @UseGuards(PublicationGuard)
  @Public()
  @Traits({ cors: { origin: false } })
  @ApiOperation({
    summary: 'Describe a published view',
    description: 'OpenAPI 3.1 of this one, with the types of its columns: what the key sees, where there is one.',
  })
  @ApiOkResponse({ description: 'The document.', schema: { type: 'object', additionalProperties: true } })
  @ApiProblems('not_found', 'api_key_invalid', 'view_broken')
  openApi(@CurrentVisit() visit: Visit, @Param('slug') _slug: string): Promise<Answer> {
    return this.service.openApi(visit);
  }

  @Options(['data', 'stream', 'openapi.json'])
  @HttpCode(204)
  @UseGuards(PublicationGuard)
  @Public()
  @Traits({ cors: { origin: false } })
  @ApiExcludeEndpoint()
  preflight(@Res({ passthrough: true }) reply: AppReply): void {
    answerPreflight(reply);
  }
}

/** The same of the versions beside the first. */
@Controller(`${PUBLIC_PREFIX}/:slug/:apiVersion`)
export class PublicVersionDataController extends PublicDataController {}
