import { randomBytes } from 'node:crypto';
import { Controller, Get, Param, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Answer, ApiProblems, notFound, Public, Traits, type AppRequest } from '../../../common/index.js';
import { PUBLIC_PREFIX, versionIn } from '../public-path.js';
import { publicPage } from './public-page.js';
import { Publications } from './publications.js';

/** The page about a published view, where whoever published it allows one. It needs no key: there is nothing in it. */
@ApiTags('Publishing')
@Controller(`${PUBLIC_PREFIX}/:slug`)
export class PublicPageController {
  constructor(private readonly publications: Publications) {}

  @Get()
  @Public()
  @Traits({ cors: { origin: false } })
  @ApiOperation({ summary: 'Show a page about a published view', description: 'To read about it and to try it out.' })
  @ApiOkResponse({ description: 'The page.', content: { 'text/html': { schema: { type: 'string' } } } })
  @ApiProblems('not_found')
  async page(@Param('slug') slug: string, @Req() request: AppRequest): Promise<Answer> {
    const { apiVersion } = request.params as { apiVersion?: string };
    const publication = await this.publications.find(slug, versionIn(apiVersion));
    if (!publication?.page) throw notFound('publication');
    const nonce = randomBytes(16).toString('base64');
    const policy = [
      ...["default-src 'none'", `script-src 'nonce-${nonce}'`, `style-src 'nonce-${nonce}'`, "connect-src 'self'"],
      ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
    ].join('; ');
    return new Answer(publicPage(nonce), {
      headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy },
    });
  }
}

/** The same of the versions beside the first. */
@Controller(`${PUBLIC_PREFIX}/:slug/:apiVersion`)
export class PublicVersionPageController extends PublicPageController {}
