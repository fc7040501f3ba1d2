import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsObject } from 'class-validator';
import { ANY_CELL_SCHEMA, IsName, MayBeAbsent, PageDto } from '../../../common/index.js';
import { COLUMN_TYPES, type ColumnTypeName } from '../../../query/index.js';
import { LEFT_OUT, type LeftOut } from '../views-of-bases.js';
import { TEMPLATES } from './built-in.js';
import type { ToldDefault } from '../columns/told-default.js';

export class TemplateColumnDto {
  /** Derived from the name when it is left out. @example 'unit_price' */
  key!: string;
  /** @example 'Unit price' */
  name!: string;
  /** @example 'Without tax' */
  description!: string | null;
  @ApiProperty({ enum: COLUMN_TYPES, example: 'decimal' })
  type!: ColumnTypeName;
  required!: boolean;
  unique!: boolean;
  @ApiProperty(ANY_CELL_SCHEMA)
  default!: ToldDefault;
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description:
      'As for a new column, but by key: `link {table,multiple?,inverseName?,inverseKey?}` (described once, in one of its tables), `lookup {linkColumn,column}`, `rollup {linkColumn,column,fn}`, `count {linkColumn}`.',
    example: { scale: 2 },
  })
  options!: Record<string, unknown>;
}

export class TemplateRowDto {
  /** What links to the row call it. @example 'acme' */
  ref?: string;
  @ApiProperty({ type: 'object', additionalProperties: true, example: { name: 'Acme', deals: ['deal_1'] } })
  fields!: Record<string, unknown>;
}

export class TemplateTableDto {
  /** @example 'companies' */
  key!: string;
  /** @example 'Companies' */
  name!: string;
  /** @example 'Whom we sell to' */
  description!: string | null;
  /** @example 'teal' */
  color!: string | null;
  /** @example '🤝' */
  icon!: string | null;
  /** Keys of the columns, with those that links of other tables bring; what is not named comes last. @example ['unit_price'] */
  order?: string[];
  columns!: TemplateColumnDto[];
  rows!: TemplateRowDto[];
}

/** A view of the workspace that reads tables of the document, and nothing else. */
export class TemplateViewDto {
  /** @example 'Open deals' */
  name!: string;
  description!: string | null;
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'As for a new view, but `table` of a source is the key of a table of the document.',
    example: { source: { table: 'deals' }, filter: { field: 'stage', op: 'eq', value: 'lead' } },
  })
  definition!: object;
  @ApiProperty({ type: 'object', additionalProperties: true, example: { layout: { type: 'grid' } } })
  settings!: object;
}

export class LeftOutDto implements LeftOut {
  /** Name of the view. @example 'Deals and invoices' */
  view!: string;
  @ApiProperty({ enum: ['view', 'settings'], description: 'All of it, or how it is laid out.' })
  part!: LeftOut['part'];
  @ApiProperty({
    enum: LEFT_OUT,
    description:
      'It reads something else, too; it names people or rows by their ids; it speaks of what is not there any more; the document is full.',
  })
  reason!: LeftOut['reason'];
}

/** A base as one document: what it is made of, without any id. */
export class TemplateDto {
  /** @example 'live-tables/template@1' */
  format!: string;
  /** @example 'CRM' */
  name!: string;
  /** @example 'Companies and deals' */
  description!: string | null;
  /** @example 'teal' */
  color!: string | null;
  /** @example '🤝' */
  icon!: string | null;
  tables!: TemplateTableDto[];
  views!: TemplateViewDto[];
  /** So many rows of a table are in an export at most, the oldest (5,000 in all). @example 1000 */
  rowsCappedAt?: number;
  /** What of the views of the base the document does not have; absent where it has all. */
  viewsLeftOut?: LeftOutDto[];
}

export class FromTemplateDto {
  /** Of the new base; otherwise it is called like the template. @example 'Our CRM' */
  @MayBeAbsent()
  @IsName()
  name?: string;

  /** One of GET /templates. */
  @ApiPropertyOptional({ enum: TEMPLATES.map(({ id }) => id), example: 'crm' })
  @MayBeAbsent()
  @IsIn(TEMPLATES.map(({ id }) => id))
  templateId?: string;

  /** Or a document of one's own, as an export gives it: at most 200 tables, 2,000 columns, 5,000 rows and 200 views. */
  @ApiPropertyOptional({ type: TemplateDto })
  @MayBeAbsent()
  @IsObject()
  template?: object;
}

export class TemplateSummaryDto {
  /** @example 'crm' */
  id!: string;
  /** @example 'CRM' */
  name!: string;
  description!: string;
  /** @example ['People', 'Companies'] */
  tables!: string[];
}

export class TemplateListDto {
  data!: TemplateSummaryDto[];
  page!: PageDto;
}

export class ExportQuery {
  /** Whether rows are told, too. */
  @ApiPropertyOptional({ enum: ['true', 'false'], example: 'true' })
  @MayBeAbsent()
  @IsIn(['true', 'false'])
  withRows?: 'true' | 'false';
}
