import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiProblems, IdPipe, Requires, type Id } from '../../../../common/index.js';
import { ChainVerdictDto, CheckpointDto, VerifyQuery } from './chain.dto.js';
import { ChainService } from './chain.service.js';

@ApiTags('History')
@ApiBearerAuth()
@Controller('tables/:tableId/history')
export class ChainController {
  constructor(private readonly chain: ChainService) {}

  @Get('verify')
  @Requires('rows:read')
  @ApiOperation({
    summary: 'Whether the change log is what was written',
    description:
      'Computes its hash chain anew, from what is kept to the newest change, and names the first number that was changed, taken out or put in. ' +
      'With a checkpoint it also tells whether this is still the log that the checkpoint was made of.',
  })
  @ApiOkResponse({ type: ChainVerdictDto })
  @ApiProblems('not_found', 'validation_failed', 'overloaded')
  verify(@Param('tableId', IdPipe) tableId: Id, @Query() { checkpoint }: VerifyQuery): Promise<ChainVerdictDto> {
    return this.chain.verify(tableId, checkpoint);
  }

  @Get('checkpoint')
  @Requires('rows:read')
  @ApiOperation({
    summary: 'Where the hash chain stands, signed',
    description:
      'To be kept elsewhere: whoever can change the whole database can make the chain anew, but not the signature.',
  })
  @ApiOkResponse({ type: CheckpointDto })
  @ApiProblems('not_found')
  checkpoint(@Param('tableId', IdPipe) tableId: Id): Promise<CheckpointDto> {
    return this.chain.checkpoint(tableId);
  }
}
