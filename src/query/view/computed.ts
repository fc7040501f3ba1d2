import { pointer, Problem, type ProblemItem } from '../../common/index.js';
import { checkFormula, type Expression, type FormulaScope } from '../formula/index.js';
import { areTooLarge, sizeOf, type FormulaBounds } from '../compile/formula/size.js';
import { digest } from '../keyset.js';
import { columnByKey } from '../schema.js';
import type { ViewColumn, ViewTable } from './view-table.js';

/** A column that a view computes. */
export interface ComputedColumn {
  readonly key: string;
  readonly name: string;
  readonly formula: string;
}

/**
 * The table with the computed columns behind its own. They may use each other, in any order.
 * @throws Problem `formula_invalid` with all flaws of all formulas; a circle is named with the path that it takes
 */
export function withComputed(
  table: ViewTable,
  computed: readonly ComputedColumn[],
  at: string,
  bounds: FormulaBounds,
): ViewTable {
  if (computed.length === 0) return table;
  const columns = new Computed(table, computed, at, bounds).resolve();
  return {
    ...table,
    id: digest([table.id, computed.map(({ key, formula }) => [key, formula])]),
    columns: [...table.columns, ...columns],
  };
}

class Computed {
  private readonly done = new Map<string, ViewColumn | undefined>();
  private readonly path: string[] = [];
  private readonly flaws: ProblemItem[] = [];

  constructor(
    private readonly table: ViewTable,
    private readonly computed: readonly ComputedColumn[],
    private readonly at: string,
    private readonly bounds: FormulaBounds,
  ) {}

  resolve(): readonly ViewColumn[] {
    const columns = this.computed.map(({ key }) => this.column(key));
    const made = columns.filter((column) => column !== undefined);
    if (areTooLarge(made, this.bounds))
      this.flaws.push({ pointer: this.at, code: 'too_complex', detail: 'The formulas are too complex together: let fewer of them read others.' }); // prettier-ignore
    const [first] = this.flaws;
    if (first) throw new Problem('formula_invalid', { detail: first.detail, errors: this.flaws });
    return made;
  }

  /** Undefined where it cannot be had, which then has been said. */
  private column(key: string): ViewColumn | undefined {
    if (this.done.has(key)) return this.done.get(key);
    const index = this.computed.findIndex((each) => each.key === key);
    const one = this.computed[index];
    if (!one) return undefined;
    const at = `${this.at}${pointer(index)}/formula`;
    this.path.push(key);
    const checked = checkFormula(one.formula, this.scope(at), this.bounds);
    this.path.pop();
    if (!checked.ok) this.flaws.push(...checked.flaws.map((flaw) => ({ pointer: at, ...flaw })));
    const column = checked.ok ? columnOf(one, checked.expression, index) : undefined;
    this.done.set(key, column);
    return column;
  }

  private scope(at: string): FormulaScope {
    const own = new Map(this.computed.map((each) => [each.key, each]));
    return {
      find: (name) => {
        if (!own.has(name)) return columnByKey(this.table, name);
        const from = this.path.indexOf(name);
        if (from < 0) return this.column(name);
        const circle = [...this.path.slice(from), name].join(' → ');
        this.flaws.push({
          pointer: at,
          code: 'circular',
          detail: `The formula leads back to itself: ${circle}.`,
          position: 0,
          length: 0,
        });
        return undefined;
      },
      names: () => [
        ...this.table.columns.map((column) => ({ name: column.key, column })),
        ...[...(this.table.names ?? [])].map(([name, column]) => ({ name, column })),
      ],
    };
  }
}

function columnOf({ key, name }: ComputedColumn, expression: Expression, index: number): ViewColumn {
  const { kind } = expression;
  return {
    id: `=${key}`,
    key,
    name,
    type: kind.type,
    options: kind.options,
    holds: kind,
    size: sizeOf(expression),
    required: false,
    unique: false,
    default: null,
    physical: `f${index}`,
    of: { kind: 'formula', expression },
  };
}
