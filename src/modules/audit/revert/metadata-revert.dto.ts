import { IsBoolean, IsIn, IsString, MaxLength } from 'class-validator';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ANY_CELL_SCHEMA, MayBeAbsent } from '../../../common/index.js';
import { AuditResourceDto } from '../dto/audit-log.dto.js';

export class MetadataRevertRequestDto {
  /** Only say what would be done. @example true */
  @MayBeAbsent()
  @IsBoolean()
  dryRun?: boolean;

  @ApiPropertyOptional({
    enum: ['skip', 'overwrite'],
    default: 'skip',
    description: 'What becomes of fields that were changed once more since: they stay, or are set back too.',
  })
  @MayBeAbsent()
  @IsIn(['skip', 'overwrite'])
  onConflict?: 'skip' | 'overwrite';

  /** From the dry run with the same `onConflict`; for 15 minutes. */
  @MayBeAbsent()
  @IsString()
  @MaxLength(10_000)
  confirmToken?: string;
}

export class MetadataFieldDto {
  /** @example 'name' */
  field!: string;
  @ApiProperty({ ...ANY_CELL_SCHEMA, description: 'What it is now.', example: 'Big deals' })
  current!: unknown;
  @ApiProperty({ ...ANY_CELL_SCHEMA, description: 'What it was before, and becomes.', example: 'Deals' })
  value!: unknown;
}

export class MetadataRevertDto {
  @ApiProperty({
    enum: ['update', 'delete', 'restore', 'nothing'],
    example: 'update',
    description:
      'The way back: fields are set, the thing goes into the trash or comes out of it; or it is as it was already.',
  })
  does!: 'update' | 'delete' | 'restore' | 'nothing';
  resource!: AuditResourceDto;
  @ApiProperty({ type: [MetadataFieldDto], description: 'What is set back.' })
  fields!: readonly MetadataFieldDto[];
  @ApiProperty({
    type: [MetadataFieldDto],
    description: 'What was changed once more since; it is set back with `overwrite` only.',
  })
  conflicts!: readonly MetadataFieldDto[];
  @ApiProperty({
    type: [String],
    example: [],
    description:
      'What was changed, and cannot be set back: the definition of a view, whose versions can be restored; options of a column that was converted since.',
  })
  skipped!: readonly string[];
  /** Of a dry run: send it to have that done. */
  confirmToken?: string;
}
