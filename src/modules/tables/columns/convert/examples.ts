import { getSchemaPath } from '@nestjs/swagger';
import { ColumnDto } from '../column.dto.js';
import { ConversionReportDto, type ColumnConversionDto, type ConvertColumnDto } from './convert.dto.js';

/** Shapes of answers as JSON carries them: their members are optional or not as the DTO says. */
type Example<T> = { readonly [K in keyof T]: Example<T[K]> };

const COLUMN = '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11';
const TABLE = '01982c5e-7a0c-7f51-8c1d-3f2b9a6e4d70';
const TOKEN = 'eyJ0byI6eyJ0eXBlIjoiZGVjaW1hbCJ9fQ.8hDk0s6m1xJ3o0m2k5Yq1w';
const TO = { type: 'decimal', options: { scale: 2 } } as const;

/** Bodies of a conversion, for the documentation. */
export const CONVERT_BODIES = {
  dryRun: {
    summary: 'First: what would it come to?',
    value: { to: TO, onError: 'null', dryRun: true } satisfies ConvertColumnDto,
  },
  confirm: {
    summary: 'Then: do it, as the dry run has shown it',
    value: { to: TO, onError: 'null', confirmToken: TOKEN } satisfies ConvertColumnDto,
  },
};

const REPORT: Example<ConversionReportDto> = {
  rows: 4,
  convertible: 2,
  failing: 1,
  samples: [{ rowId: '01982c5e-8b21-7d04-a1c6-7e5d2f9b3c48', value: 'abc', code: 'not_a_number' }],
  obstacles: [],
  default: null,
  defaultDropped: false,
  dependents: [
    {
      tableId: '01982c5e-7a0d-7b42-9e3f-1c8d5a7b2e90',
      columnId: '01982c5e-7a11-7a18-8f60-4d9c3b2a1e57',
      key: 'prices',
      type: 'lookup',
    },
  ],
  indexes: [],
  confirmToken: TOKEN,
};

const CONVERTED: Example<ColumnDto> = {
  id: COLUMN,
  key: 'price',
  name: 'Price',
  description: null,
  type: 'decimal',
  required: false,
  unique: false,
  default: null,
  options: { scale: 2 },
  position: 1,
};

const BEGUN: Example<ColumnConversionDto> = {
  id: '01982c5f-1c30-7e95-b2a7-6f8e4d3c2b19',
  tableId: TABLE,
  columnId: COLUMN,
  to: TO,
  onError: 'null',
  state: 'converting',
  rows: 1_000_000,
  rowsDone: 0,
  createdAt: '2026-11-26T14:30:00.000Z',
  finishedAt: null,
};

const answer = (types: readonly (typeof ColumnDto | typeof ConversionReportDto)[], examples: object) => ({
  'application/json': {
    schema: { oneOf: types.map((type) => ({ $ref: getSchemaPath(type) })) },
    examples: { ...examples },
  },
});

/** 200 of a conversion. */
export const CONVERT_ANSWERS = answer([ColumnDto, ConversionReportDto], {
  dryRun: { summary: 'Report of a dry run', value: REPORT },
  converted: { summary: 'The column, with its new type', value: CONVERTED },
});

/** 202, and the progress of what goes on in the background. */
export const CONVERSION_ANSWERS = {
  begun: { summary: 'Begun', value: BEGUN },
};

export const PROGRESS_ANSWERS = {
  converting: { summary: 'Under way', value: { ...BEGUN, rowsDone: 250_000 } },
  done: {
    summary: 'At its end',
    value: { ...BEGUN, state: 'done', rowsDone: 1_000_000, finishedAt: '2026-11-26T14:31:05.120Z' },
  },
  failed: {
    summary: 'Not possible; the column is as it was',
    value: {
      ...BEGUN,
      onError: 'abort',
      state: 'failed',
      rowsDone: 250_000,
      error: {
        code: 'rows_in_the_way',
        detail: '1 values cannot be converted to decimal.',
        errors: [
          {
            pointer: '/onError',
            code: 'values_not_convertible',
            detail: '1 values cannot be converted to decimal.',
            count: 1,
            samples: REPORT.samples,
          },
        ],
      },
      finishedAt: '2026-11-26T14:30:20.040Z',
    },
  },
};
