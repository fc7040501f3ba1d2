import { Inject, Injectable } from '@nestjs/common';
import { must, rowsInTheWay, type Access, type Id, type ProblemItem } from '../../../../common/index.js';
import { APP_CONFIG, type AppConfig } from '../../../../config/index.js';
import { MainDatabase } from '../../../../database/main/index.js';
import { MiniDbSchema, type RowCheck, type RowConditions } from '../../../../engines/index.js';
import {
  addHiddenColumn,
  countUpTo,
  distinctTexts,
  fillConverted,
  kindOf,
  lockTable,
  swapColumn,
  tryConversion,
  withTimeout,
  type ColumnOptions,
  type Conversion,
  type Sql,
} from '../../../../query/index.js';
import { indexesAskedFor, type IndexOfColumn } from '../../indexes/indexes-of-column.js';
import type { TableIndexEntity } from '../../indexes/table-index.entity.js';
import { keptRules } from '../../rules/kept-rules.js';
import { mustShowNoMore } from '../../rules/shown-by-conversion.js';
import { BaseDraft } from '../../schema/base-draft.js';
import { TableCatalog } from '../../table-catalog.js';
import { toColumnSchema } from '../../tables/table-schema.js';
import { toColumnDto } from '../../tables/to-dto.js';
import { findColumn } from '../change-column.js';
import type { ColumnDto } from '../column.dto.js';
import type { ColumnEntity } from '../column.entity.js';
import { ColumnChanges } from '../column-changes.js';
import { needs } from '../dependents.js';
import { toldDefault } from '../told-default.js';
import { BackgroundConversions } from './background/background-conversions.service.js';
import { mustBeAtRest } from './background/must-be-at-rest.js';
import { Confirmations, stale, type Seen } from './confirmation.js';
import { indexesAfter, remadeIndexes, uniqueAfter, uniqueIndexesAfter } from './converted-indexes.js';
import type { ColumnConversionDto, ConversionReportDto, ConvertColumnDto } from './convert.dto.js';
import { conversionOf, keptColumn, SAMPLES, samplesOf, valuesInTheWay } from './planned-conversion.js';
import { choicesOf, lacksChoices, MAX_CHOICES, optionsOf, targetOf } from './target-of.js';

/** What a conversion would come to, see {@link tryConversion}. */
interface Foreseen {
  readonly rows: number;
  readonly filled: number;
  readonly failing: number;
  /** JSON. */
  readonly samples: string | null;
  readonly values: string;
  readonly lost: string;
}

const NONE_LOST = { failing: 0, samples: null };

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
    private readonly background: BackgroundConversions,
    @Inject(APP_CONFIG) private readonly config: AppConfig,
  ) {}

  /** What a conversion would come to. @throws Problem `not_found`, `validation_failed` */
  async tryOut(tableId: Id, columnId: Id, request: ConvertColumnDto): Promise<ConversionReportDto> {
    const { baseId } = await this.catalog.find(tableId);
    const [draft, indexes] = await this.read(baseId, tableId, columnId);
    const column = findColumn(draft.table(tableId).columns, columnId);
    const options = await this.options(draft, column, request);
    const target = targetOf(column, request.to.type, options);
    const { conversion, converted } = conversionOf(draft, column, target);
    draft.exchangeColumn(target, undefined, () => []);
    const unique = uniqueIndexesAfter(indexes, conversion);
    const found = await this.foresee(conversion, converted);
    const { rows, filled, failing, samples, values, lost } = found;
    return {
      rows,
      convertible: filled - failing,
      failing,
      samples: samplesOf(samples, target),
      obstacles: await this.obstacles(target, request, found, uniqueAfter(conversion, unique, converted)),
      default: toldDefault(target),
      defaultDropped: column.default !== null && target.default === null,
      dependents: draft.columns
        .filter((each) => needs(each).includes(columnId))
        .map(({ id, tableId: of, key, type }) => ({ tableId: of, columnId: id, key, type })),
      indexes: indexesAfter(indexes, conversion),
      confirmToken: this.confirmations.make(column, request, {
        options,
        rows,
        failing,
        values,
        lost,
      }),
    };
  }

  private async foresee(conversion: Conversion, converted: Sql): Promise<Foreseen> {
    const [row] = await this.mini.look(tryConversion(conversion, converted, SAMPLES));
    const [rows, filled, failing, samples, values, lost] = must(row, 'an aggregate has one row');
    return {
      rows: Number(rows),
      filled: Number(filled),
      failing: Number(failing),
      samples: samples ?? null,
      values: String(values),
      lost: String(lost),
    };
  }

  /** Looked for only where they can be: each look reads the whole table. */
  private async obstacles(
    target: ColumnEntity,
    { onError = 'abort' }: ConvertColumnDto,
    { failing, samples }: Pick<Foreseen, 'failing' | 'samples'>,
    checks: readonly RowCheck[],
  ): Promise<ProblemItem[]> {
    const items =
      failing > 0 && (onError === 'abort' || target.required) ? [valuesInTheWay(failing, samples, target)] : [];
    for (const { look, judge } of checks) items.push(...judge(await this.mini.look(look)));
    return items;
  }

  /**
   * A large table is not looked at behind a lock. Here and now the values that cannot be converted must be those that were confirmed, and
   * none may repeat where that is forbidden: better to know it before all rows are filled than after it.
   * @throws Problem `confirmation_stale`; `rows_in_the_way` with samples
   */
  private async mustBeAsSeen(
    { baseId, tableId, columnId }: { readonly baseId: Id; readonly tableId: Id; readonly columnId: Id },
    request: ConvertColumnDto,
    seen: Seen,
  ): Promise<void> {
    const [draft, indexes] = await this.read(baseId, tableId, columnId);
    const column = findColumn(draft.table(tableId).columns, columnId);
    const target = targetOf(column, request.to.type, seen.options);
    const { conversion, converted } = conversionOf(draft, column, target);
    const unique = uniqueAfter(conversion, uniqueIndexesAfter(indexes, conversion), converted);
    const mayLose = request.onError === 'null' && !target.required;
    // Where all may be lost, or none is, there is nothing to compare: the first value that is in the way ends it.
    const isSure = mayLose ? request.acceptChanges === true : seen.failing === 0;
    const found = isSure ? undefined : await this.foresee(conversion, converted);
    const obstacles = await this.obstacles(target, request, found ?? NONE_LOST, unique);
    if (obstacles.length > 0) throw rowsInTheWay(obstacles);
    if (found && found.lost !== seen.lost) throw stale('Other values cannot be converted now than in the dry run.');
  }

  /** The base and the indexes of a table, of one moment. @throws Problem `validation_failed` rules are in the way of the conversion */
  private read(baseId: Id, tableId: Id, columnId: Id): Promise<[BaseDraft, TableIndexEntity[]]> {
    return this.main.snapshot(async (manager) => {
      const draft = await BaseDraft.read(manager, baseId);
      await mustShowNoMore(manager, draft, findColumn(draft.table(tableId).columns, columnId));
      return [draft, await indexesAskedFor(manager, tableId)];
    });
  }

  /**
   * At once, or in the background where the table is large.
   * @throws Problem `not_found`, `validation_failed`, `confirmation_required`, `confirmation_stale`, `schema_busy` it is being converted
   * already, `rows_in_the_way` values that cannot be converted, or would not be unique or missing where the column is required
   */
  async convert(
    access: Access,
    tableId: Id,
    columnId: Id,
    request: ConvertColumnDto,
  ): Promise<ColumnDto | ColumnConversionDto> {
    const { columns, tableSchema, baseId } = await this.catalog.fresh(tableId);
    const seen = this.confirmations.read(findColumn(columns, columnId), request);
    const most = this.config.conversionBackgroundRows;
    const [row] = await this.mini.look(countUpTo(tableSchema, most));
    if (Number(row?.[0]) <= most) return this.convertNow(access, tableId, columnId, request);
    await this.mustBeAsSeen({ baseId, tableId, columnId }, request, seen);
    return this.background.begin(access, tableId, columnId, request, seen);
  }

  private convertNow(access: Access, tableId: Id, columnId: Id, request: ConvertColumnDto): Promise<ColumnDto> {
    return this.changes.draft(access, tableId, 'column.convert', async (draft, manager) => {
      const { columns } = draft.table(tableId);
      const column = findColumn(columns, columnId);
      await mustBeAtRest(manager, columnId);
      await mustShowNoMore(manager, draft, column);
      const seen = this.confirmations.read(column, request);
      const target = targetOf(column, request.to.type, seen.options);
      const { conversion, converted } = conversionOf(draft, column, target);
      const kept = keptColumn(column);
      const ruled = await keptRules(manager, column, kept);
      if (ruled) draft.changeRules(ruled);
      const unique = uniqueIndexesAfter(await indexesAskedFor(manager, tableId), conversion);
      draft.exchangeColumn(target, kept, () => [
        ...exchange(conversion, converted, kept),
        ...remadeIndexes(conversion.table, unique),
      ]);
      const position = columns.indexOf(column);
      const conditions = conditionsOf(conversion, converted, request, target, seen, unique);
      return { draft, conditions, result: toColumnDto(target, position) };
    });
  }

  private async options(draft: BaseDraft, column: ColumnEntity, { to }: ConvertColumnDto): Promise<ColumnOptions> {
    const given = to.options ?? {};
    if (!lacksChoices(to.type, given)) return optionsOf(to.type, given);
    const from = draft.columnSchema(column);
    // A select that becomes another select keeps its choices, also where it is only shown.
    const { choices } = kindOf(from).options;
    if (choices) return optionsOf(to.type, { ...given, choices });
    const list = to.type === 'multi_select';
    const texts = distinctTexts({ table: draft.schemaOf(column.tableId), from, list }, MAX_CHOICES);
    const rows = await this.mini.look(texts);
    return optionsOf(to.type, { ...given, choices: choicesOf(rows.map(([text]) => String(text))) });
  }
}

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
const conditionsOf = (
  conversion: Conversion,
  converted: Sql,
  { onError = 'abort', acceptChanges }: ConvertColumnDto,
  target: ColumnEntity,
  seen: Seen,
  unique: readonly IndexOfColumn[],
): RowConditions => ({
  lock: lockTable(conversion.table, 'access exclusive'),
  checks: [
    {
      look: tryConversion(conversion, converted, SAMPLES),
      judge: ([row]) => {
        const [, , failing = 0, samples, values] = row ?? [];
        // What is required cannot be left empty.
        if (Number(failing) > 0 && (onError === 'abort' || target.required))
          return [valuesInTheWay(Number(failing), samples, target)];
        if (values !== seen.values && acceptChanges !== true)
          throw stale('Values of the column have changed since the dry run.');
        return [];
      },
    },
    ...uniqueAfter(conversion, unique, converted),
  ],
});
