import { Injectable } from '@nestjs/common';
import { notFound, Problem, type Caller, type Id } from '../../../common/index.js';
import { MainDatabase } from '../../../database/main/index.js';
import {
  checkFormula,
  completeFormula,
  kindOf,
  type Completion,
  type FormulaScope,
  type TableSchema,
  type ValueKind,
} from '../../../query/index.js';
import { AccessService } from '../../workspaces/index.js';
import { findColumn } from '../columns/change-column.js';
import { formulaScope } from '../columns/formula-columns.js';
import { BaseDraft } from '../schema/base-draft.js';
import { TableCatalog } from '../table-catalog.js';
import type { CheckFormulaDto, FormulaCheckDto, FormulaCompletionDto, FormulaFlawDto } from './formula-check.dto.js';

const NO_COLUMNS: FormulaScope = { find: () => undefined, names: () => [] };

/** Says of formulas that nobody has stored yet what they are, or what is wrong with them. */
@Injectable()
export class FormulasService {
  constructor(
    private readonly catalog: TableCatalog,
    private readonly access: AccessService,
    private readonly main: MainDatabase,
  ) {}

  /** @throws Problem `not_found` the table, or its column */
  async check(caller: Caller, input: CheckFormulaDto): Promise<FormulaCheckDto> {
    const { formula, tableId, columnId, position } = input;
    if (columnId !== undefined && tableId === undefined) throw notFound('column');
    const table = tableId === undefined ? undefined : await this.seen(caller, tableId);
    const scope = table ? formulaScope(table) : NO_COLUMNS;
    // One that is hidden is not there, and what it is computed from is nobody's business.
    if (table?.seen && columnId !== undefined && !table.columns.some(({ id }) => id === columnId))
      throw notFound('column');
    const checked = checkFormula(formula, scope);
    const flaws: readonly FormulaFlawDto[] = checked.ok
      ? await this.flawsInPlace(formula, tableId, columnId)
      : checked.flaws;
    return {
      ok: flaws.length === 0,
      result: checked.ok && flaws.length === 0 ? toResult(checked.expression.kind) : null,
      errors: [...flaws],
      completions: position === undefined ? [] : completeFormula(formula, position, scope).map(toCompletion),
    };
  }

  /** The table as the caller sees it. */
  private async seen(caller: Caller, tableId: Id): Promise<TableSchema> {
    const workspaceId = await this.catalog.workspaceOf(tableId);
    if (workspaceId === undefined) throw notFound('table');
    const access = await this.access.require(caller, workspaceId, 'structure:read', 'table');
    const { seen } = await this.catalog.fresh(tableId);
    return seen.of(tableId, access);
  }

  /** What only the column that is to have the formula can be wrong about. */
  private async flawsInPlace(formula: string, tableId?: Id, columnId?: Id): Promise<readonly FormulaFlawDto[]> {
    if (tableId === undefined || columnId === undefined) return [];
    const { baseId } = await this.catalog.find(tableId);
    const draft = await this.main.snapshot((manager) => BaseDraft.read(manager, baseId));
    const column = findColumn(draft.table(tableId).columns, columnId);
    if (column.type !== 'formula') throw notFound('column');
    try {
      draft.leadElsewhere({ ...column, options: { formula } });
      return [];
    } catch (error) {
      if (!(error instanceof Problem) || !error.errors) throw error;
      return error.errors.map(({ pointer: _, ...flaw }) => flaw);
    }
  }
}

const toResult = ({ type, options, list }: ValueKind) => ({ type, options, list });

const toCompletion = ({ column, signatures, ...rest }: Completion): FormulaCompletionDto => ({
  ...rest,
  ...(signatures ? { signatures } : {}),
  ...(column ? { name: column.name, type: kindOf(column).type } : {}),
});
