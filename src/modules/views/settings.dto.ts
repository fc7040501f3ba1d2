import { ApiProperty } from '@nestjs/swagger';
import { LAYOUT_TYPES } from './settings/index.js';

const key = { type: 'string', description: 'Key of a column that the view shows.' } as const;
const keys = { type: 'array', items: key, maxItems: 250 } as const;

/** Rows for which the filter holds have the colour. */
export class ColorConditionDto {
  @ApiProperty({ type: 'object', additionalProperties: true, example: { field: 'amount', op: 'gt', value: 1_000 } })
  filter!: object;
  /** @example '#ffcc00' */
  color!: string;
}

/** By the value of a column, or by the first condition that holds. */
export class GridColorsDto {
  @ApiProperty({ ...key, required: false })
  field?: string;
  @ApiProperty({ required: false, type: [ColorConditionDto], maxItems: 50 })
  conditions?: ColorConditionDto[];
}

/** `type` says which of the members there may be. */
export class LayoutDto {
  @ApiProperty({ enum: LAYOUT_TYPES, example: 'grid' })
  type!: string;
  @ApiProperty({
    required: false,
    type: 'array',
    maxItems: 250,
    description: 'Of a grid: its columns, in this order; those that are not named come behind.',
    items: {
      type: 'object',
      required: ['key'],
      properties: {
        key,
        width: { type: 'integer', minimum: 40, maximum: 2_000 },
        hidden: { type: 'boolean' },
        pinned: { type: 'string', enum: ['left'] },
        wrap: { type: 'boolean' },
      },
    },
    example: [{ key: 'name', width: 240, pinned: 'left' }],
  })
  columns?: object[];
  @ApiProperty({ required: false, enum: ['short', 'medium', 'tall', 'extra'], description: 'Of a grid.' })
  rowHeight?: string;
  @ApiProperty({ required: false, type: 'integer', minimum: 0, maximum: 20, description: 'Of a grid.' })
  frozenColumns?: number;
  @ApiProperty({ required: false, type: () => GridColorsDto, description: 'Of a grid.' })
  colorBy?: GridColorsDto;
  @ApiProperty({ ...key, required: false, description: 'Of a kanban board: what its stacks are of.' })
  stackBy?: string;
  @ApiProperty({ required: false, description: 'Of a kanban board.' })
  hideEmptyStacks?: boolean;
  @ApiProperty({ ...key, required: false, description: 'Of a kanban board or a gallery: where pictures come from.' })
  cover?: string;
  @ApiProperty({ required: false, enum: ['cover', 'contain'], description: 'Of a gallery.' })
  coverFit?: string;
  @ApiProperty({ ...keys, required: false, description: 'Of a kanban board or a gallery: what cards show.' })
  cardFields?: string[];
  @ApiProperty({ ...key, required: false, description: 'Of a calendar: a date or datetime.' })
  start?: string;
  @ApiProperty({ ...key, required: false, description: 'Of a calendar: a date or datetime.' })
  end?: string;
  @ApiProperty({ ...key, required: false, description: 'Of a calendar.' })
  title?: string;
}

/** What a frontend keeps with a view. Columns that the view shows no more have no effect. */
export class ViewSettingsDto {
  layout!: LayoutDto;
}
