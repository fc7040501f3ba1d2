import { ApiExtraModels, ApiProperty, getSchemaPath, OmitType } from '@nestjs/swagger';
import { ProblemDto } from '../../../../common/errors/problem.dto.js';
import { PageDto, type ProblemBody } from '../../../../common/index.js';
import { ImportAnswerDto, ImportTableAnswerDto, MODES, ON_ERROR, type ImportMode } from '../import.dto.js';
import { IMPORT_STATES, type ImportState } from './import-job.entity.js';

@ApiExtraModels(ImportAnswerDto, ImportTableAnswerDto)
export class ImportJobDto {
  /** Also the change set of all that it writes. @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  id!: string;
  baseId!: string;
  /** Of an import that makes its table: the id that it will have. */
  tableId!: string;
  @ApiProperty({
    enum: IMPORT_STATES,
    description:
      '`interrupted`: its caller or server went away; with `onError=skip` a part of it is written. The same request under the same `Idempotency-Key` goes on behind that.',
  })
  state!: ImportState;
  @ApiProperty({ enum: MODES })
  mode!: ImportMode;
  @ApiProperty({ enum: ON_ERROR })
  onError!: (typeof ON_ERROR)[number];
  dryRun!: boolean;
  /** Somebody asked for its end, which is near. */
  cancelRequested!: boolean;
  /** Of the file. @example 104857600 */
  bytes!: number;
  /** Of them so many are read; a file that makes a table is read twice. @example 52428800 */
  bytesRead!: number;
  /** With `onError=abort` nobody else sees these rows before it is done, and there are none when it ends otherwise. @example 500000 */
  created!: number;
  /** @example 0 */
  updated!: number;
  /** @example 0 */
  unchanged!: number;
  /** @example 0 */
  failed!: number;
  @ApiProperty({
    oneOf: [{ $ref: getSchemaPath(ImportAnswerDto) }, { $ref: getSchemaPath(ImportTableAnswerDto) }],
    nullable: true,
    description: 'What whoever waits for it is answered; null until it is done.',
  })
  result!: ImportAnswerDto | ImportTableAnswerDto | null;
  @ApiProperty({ type: ProblemDto, nullable: true, description: 'Why it did not come to its end.' })
  problem!: ProblemBody | null;
  createdBy!: string;
  createdAt!: string;
  finishedAt!: string | null;
}

/** The latest imports into a table, without their results and findings. */
export class ImportJobSummaryDto extends OmitType(ImportJobDto, ['result', 'problem'] as const) {}

export class ImportJobListDto {
  data!: ImportJobSummaryDto[];
  page!: PageDto;
}
