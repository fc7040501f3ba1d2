import { ApiProperty, PickType } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import { IsFutureTime, type PageDto } from '../../../common/index.js';
import { ViewApiDto } from './view-api.dto.js';

const TIME = { type: String, nullable: true, format: 'date-time' } as const;

/** A version of a published view: an address, and what its readers rely on. */
export class ApiVersionDto extends PickType(ViewApiDto, [
  ...(['apiVersion', 'url', 'auth', 'filterable', 'sortable', 'maxLimit', 'columns', 'rights', 'viewVersion'] as const),
]) {
  publishedAt!: string;
  @ApiProperty({ ...TIME, description: 'When another one followed; null for the newest.' })
  deprecatedAt!: string | null;
  @ApiProperty({ ...TIME, description: 'From when on it is not there any more; null: nobody has said.' })
  sunsetAt!: string | null;
}

export class UpdateApiVersionDto {
  @ApiProperty({
    ...TIME,
    required: false,
    description: 'When it ends by itself, which its readers are told in `Sunset`; null takes that back.',
  })
  @IsOptional()
  @IsFutureTime()
  sunsetAt?: string | null;
}

export class ApiVersionListDto {
  @ApiProperty({ type: [ApiVersionDto] })
  data!: ApiVersionDto[];
  page!: PageDto;
}
