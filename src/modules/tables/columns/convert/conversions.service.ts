import { Injectable } from '@nestjs/common';
import { invalid, must, newId, type Access, type Id } from '../../../../common/index.js';
import { MainDatabase } from '../../../../database/main/index.js';
import { MiniDbSchema, type RowConditions } from '../../../../engines/index.js';
import {
  addHiddenColumn,
  canBecome,
  columnType,
  convertedCell,
  distinctTexts,
  fillConverted,
  lockTable,
  swapColumn,
  tryConversion,
  withTimeout,
  type ColumnOptions,
  type Conversion,
  type Sql,
} from '../../../../query/index.js';
import { BaseDraft } from '../../schema/base-draft.js';
import { randomSuffix } from '../../schema/structure.js';
import { TableCatalog } from '../../table-catalog.js';
import { toColumnSchema } from '../../tables/table-schema.js';
import { toColumnDto } from '../../tables/to-dto.js';
import { findColumn } from '../change-column.js';
import type { ColumnDto } from '../column.dto.js';
import type { ColumnEntity } from '../column.entity.js';
import { ColumnChanges } from '../column-changes.js';
import { Confirmations } from './confirmation.js';
import type { ConversionReportDto, ConversionSampleDto, ConvertColumnDto } from './convert.dto.js';
import { choicesOf, lacksChoices, MAX_CHOICES, optionsOf, targetOf } from './target-of.js';

const SAMPLES = 20;

/** Below the time after which the client gives a statement up. */
const TIMEOUT_SECONDS = 30;

/**
 * Gives columns another type. The old column is kept, hidden, in the trash of the table, from where it can be had back; so nothing is
 * lost, whatever the conversion makes of the values.
 */
@Injectable()
export class Conversions {
  constructor(
    private readonly main: MainDatabase,
    private readonly catalog: TableCatalog,
    private readonly changes: ColumnChanges,
    private readonly mini: MiniDbSchema,
    private readonly confirmations: Confirmations,
  ) {}

  /** What a conversion would come to. @throws Problem `not_found`, `validation_failed` */
  async tryOut(tableId: Id, columnId: Id, request: ConvertColumnDto): Promise<ConversionReportDto> {
    const { baseId } = await this.catalog.find(tableId);
    const draft = await this.main.snapshot((manager) => BaseDraft.read(manager, baseId));
    const column = findColumn(draft.table(tableId).columns, columnId);
    const options = await this.options(draft, column, request);
    const target = targetOf(column, request.to.type, options);
    const { conversion, converted } = conversionOf(draft, column, target);
    draft.exchangeColumn(target, [], () => []);
    const [row] = await this.mini.look(tryConversion(conversion, converted, SAMPLES));
    const [rows, filled, failing, samples] = must(row, 'an aggregate has one row');
    return {
      rows: Number(rows),
      convertible: Number(filled) - Number(failing),
      failing: Number(failing),
      samples: samplesOf(samples, target),
      dependents: draft.columns
        .filter(({ options: { columnId: shown } }) => shown === columnId)
        .map(({ id, tableId: of, key, type }) => ({ tableId: of, columnId: id, key, type })),
      confirmToken: this.confirmations.make(column, request, options),
    };
  }

  /**
   * @throws Problem `not_found`, `validation_failed`, `confirmation_stale`, `rows_in_the_way` values that cannot be converted, or
   * would not be unique or missing where the column is required
   */
  convert(access: Access, tableId: Id, columnId: Id, request: ConvertColumnDto): Promise<ColumnDto> {
    return this.changes.draft(access, tableId, 'column.convert', (draft) => {
      const { columns } = draft.table(tableId);
      const column = findColumn(columns, columnId);
      if (request.confirmToken === undefined)
        throw invalid([
          {
            pointer: '/confirmToken',
            code: 'confirmation_missing',
            detail: 'Make a dry run first, and send its confirmToken.',
          },
        ]);
      const target = targetOf(column, request.to.type, this.confirmations.read(column, request));
      const { conversion, converted } = conversionOf(draft, column, target);
      const kept = keptColumn(column);
      draft.exchangeColumn(target, [kept], () => exchange(conversion, converted, kept));
      const position = columns.indexOf(column);
      const conditions = conditionsOf(conversion, converted, request, target);
      return { draft, conditions, result: toColumnDto(target, position) };
    });
  }

  private async options(draft: BaseDraft, column: ColumnEntity, { to }: ConvertColumnDto): Promise<ColumnOptions> {
    const given = to.options ?? {};
    if (!lacksChoices(to.type, given)) return optionsOf(to.type, given);
    const from = draft.columnSchema(column);
    if (!canBecome(from)) throw notConvertible(column, to.type);
    // A select that becomes another select keeps its choices.
    if (column.options.choices) return optionsOf(to.type, { ...given, choices: column.options.choices });
    const rows = await this.mini.look(distinctTexts({ table: draft.schemaOf(column.tableId), from }, MAX_CHOICES));
    return optionsOf(to.type, { ...given, choices: choicesOf(rows.map(([text]) => String(text))) });
  }
}

function conversionOf(
  draft: BaseDraft,
  column: ColumnEntity,
  target: ColumnEntity,
): { readonly conversion: Conversion; readonly converted: Sql } {
  const from = draft.columnSchema(column);
  const conversion: Conversion = { table: draft.schemaOf(column.tableId), from, to: toColumnSchema(target) };
  const converted = canBecome(from) ? convertedCell(conversion, 't') : undefined;
  if (!converted) throw notConvertible(column, target.type);
  return { conversion, converted };
}

const notConvertible = (column: ColumnEntity, type: string): Error =>
  invalid([
    {
      pointer: '/to/type',
      code: 'not_convertible',
      detail: `${column.key} (${column.type}) cannot be converted to ${type}.`,
    },
  ]);

/** The old column in the trash, for as long as everything there. */
const keptColumn = (column: ColumnEntity): ColumnEntity => ({
  ...column,
  id: newId(),
  name: `${column.name.slice(0, 220)} (before conversion)`,
  nameFolded: `${column.nameFolded.slice(0, 220)} (before conversion)`,
  required: false,
  unique: false,
  default: null,
  physicalName: `_old_${column.key.slice(0, 48)}_${randomSuffix()}`,
  deletedAt: new Date(),
  deletedWith: null,
});

function exchange({ table, from, to }: Conversion, converted: Sql, kept: ColumnEntity): Sql[] {
  const hidden = `_new_${kept.physicalName.slice('_old_'.length)}`;
  return [
    withTimeout(TIMEOUT_SECONDS),
    addHiddenColumn(table, to, hidden),
    fillConverted(table, hidden, converted),
    ...swapColumn(table, from, to, hidden, toColumnSchema(kept)),
  ];
}

/** Looked at behind the lock: what was right in the dry run may have become wrong. */
function conditionsOf(
  conversion: Conversion,
  converted: Sql,
  { onError = 'abort' }: ConvertColumnDto,
  target: ColumnEntity,
): RowConditions {
  const lock = lockTable(conversion.table, 'access exclusive');
  // What is required cannot be left empty.
  if (onError === 'null' && !target.required) return { lock, checks: [] };
  return {
    lock,
    checks: [
      {
        look: tryConversion(conversion, converted, SAMPLES),
        judge: ([row]) => {
          const failing = Number(row?.[2] ?? 0);
          if (failing === 0) return [];
          const detail = `${failing} values cannot be converted to ${target.type}.`;
          const samples = samplesOf(row?.[3] ?? null, target);
          return [{ pointer: '/onError', code: 'values_not_convertible', detail, count: failing, samples }];
        },
      },
    ],
  };
}

/** With what the type itself says of each text. */
function samplesOf(json: string | null | undefined, target: ColumnEntity): ConversionSampleDto[] {
  const found = JSON.parse(json ?? '[]') as { readonly rowId: string; readonly text: string }[];
  return found.map(({ rowId, text }) => {
    const parsed = columnType(target.type).parseText(text, target);
    return { rowId, value: text, code: parsed.ok ? 'not_convertible' : parsed.code };
  });
}
