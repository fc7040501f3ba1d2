import { Controller, Get, Param, Post, Req } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiConsumes,
  ApiCreatedResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import {
  ApiProblems,
  CurrentAccess,
  IdPipe,
  IgnoresIdempotencyKey,
  Requires,
  Traits,
  type Access,
  type AppRequest,
  type Id,
} from '../../common/index.js';
import { HonoursRules } from '../tables/index.js';
import { AttachmentLinkDto, UploadedAttachmentsDto } from './attachment.dto.js';
import { FilesService } from './files.service.js';
import { UploadOnce } from './upload/upload-once.js';

const FILE_PARTS = {
  type: 'object',
  required: ['file'],
  properties: {
    file: {
      type: 'array',
      items: { type: 'string', format: 'binary' },
      description: 'One part for each file, at most 10.',
    },
  },
};

@HonoursRules()
@ApiTags('Attachments')
@ApiBearerAuth()
@Controller('tables/:tableId/attachments')
export class AttachmentsController {
  constructor(
    private readonly uploads: UploadOnce,
    private readonly files: FilesService,
  ) {}

  @Post()
  @Requires('rows:write')
  @IgnoresIdempotencyKey()
  @Traits({ multipart: true })
  @ApiConsumes('multipart/form-data')
  @ApiBody({ schema: FILE_PARTS })
  @ApiOperation({
    summary: 'Upload files',
    description:
      'All of them or none. Put the ids into an attachment column of any table of the base; a file that no row holds for a day is removed. `Location` leads to the first.',
  })
  @ApiCreatedResponse({ type: UploadedAttachmentsDto })
  @ApiProblems('not_found', 'role_too_low', 'bad_request', 'limit_reached', 'storage_unavailable', 'schema_busy')
  upload(@CurrentAccess() access: Access, @Param('tableId', IdPipe) tableId: Id, @Req() request: AppRequest) {
    return this.uploads.upload(access, tableId, request);
  }

  @Get(':attachmentId')
  @Requires('rows:read')
  @ApiOperation({
    summary: 'Read what a file is, and get an address to download it',
    description: 'The address works for a while (FILES_URL_SECONDS) and for whoever has it.',
  })
  @ApiOkResponse({ type: AttachmentLinkDto })
  @ApiProblems('not_found')
  get(
    @CurrentAccess() access: Access,
    @Param('tableId', IdPipe) tableId: Id,
    @Param('attachmentId', IdPipe) attachmentId: Id,
  ) {
    return this.files.link(access, tableId, attachmentId);
  }
}
