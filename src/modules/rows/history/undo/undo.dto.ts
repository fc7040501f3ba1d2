import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { Id } from '../../../../common/index.js';
import { RevertDoneDto } from '../revert/revert.dto.js';

const ID = '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11';

export class UndoDto {
  @ApiPropertyOptional({
    type: 'array',
    items: { type: 'string', format: 'uuid' },
    description:
      'Acts to pass over, at most 100: those of which an answer said that nothing of them could be taken back.',
    example: [],
  })
  skip?: Id[];
}

/** What can still be undone and redone. */
export class UndoLeftDto {
  /** @example 3 */
  undo!: number;
  /** @example 1 */
  redo!: number;
}

export class UndoneDto extends RevertDoneDto {
  @ApiProperty({ format: 'uuid', example: ID, description: 'The act that was undone; of a redo, the undo.' })
  revertOf!: Id;
  left!: UndoLeftDto;
}
