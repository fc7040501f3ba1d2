import { Controller, Get, Param, Query, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ApiProblems, Public, Traits, type AppRequest } from '../../common/index.js';
import { DownloadQuery } from './attachment.dto.js';
import { DownloadsService } from './download/downloads.service.js';

/** Of the type that the file has. */
const BYTES = { '*/*': { schema: { type: 'string', format: 'binary' } } } as const;

@ApiTags('Attachments')
@Controller('files')
export class DownloadsController {
  constructor(private readonly downloads: DownloadsService) {}

  @Get(':token')
  @Public()
  @Traits({ compress: false })
  @ApiOperation({
    summary: 'Download a file',
    description:
      'By the address that the attachment has. Takes a single `Range`, `If-Range` and `If-None-Match`; the `ETag` is the SHA-256 of the bytes.',
  })
  @ApiOkResponse({ description: 'The bytes.', content: BYTES })
  @ApiResponse({ status: 206, description: 'The bytes of the range.', content: BYTES })
  @ApiResponse({ status: 304, description: 'The caller has them already.' })
  @ApiProblems('not_found', 'range_not_satisfiable', 'storage_unavailable')
  download(@Param('token') token: string, @Query() { inline }: DownloadQuery, @Req() request: AppRequest) {
    return this.downloads.download(token, inline === '1', request);
  }
}
