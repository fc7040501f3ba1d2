import { foldName, invalid, isId, Problem, type Access, type Id, type ProblemItem } from '../../../common/index.js';
import {
  attributesIn,
  columnByKey,
  columnsIn,
  columnsOf,
  expressionOf,
  operatorsOf,
  parseJsonFilter,
  resolveFilter,
  type ColumnSchema,
  type Condition,
  type FilterContext,
  type FilterInput,
  type TableSchema,
} from '../../../query/index.js';
import { brokenBy, filtersOf, type LiveColumns, type Rule, type StoredRule } from './rule.js';

/**
 * Rules as they are stored, with what their keys mean today; a key that has no column today means what it did in the rules that are there (`before`):
 * what is hidden in the trash stays hidden, if whoever writes the rules says so still.
 * @param strangers ids that are no members' of the workspace
 * @throws Problem `validation_failed` with all that is wrong
 */
export function judgeRules(
  rules: readonly Rule[],
  table: TableSchema,
  access: Access,
  strangers: ReadonlySet<Id>,
  before: readonly StoredRule[],
  live: LiveColumns,
): readonly StoredRule[] {
  const trashed = new Map(before.flatMap(({ columnIds }) => Object.entries(columnIds)));
  const findings: ProblemItem[] = [];
  const names = new Set<string>();
  const stored = rules.map((rule, i): StoredRule => {
    const at = `/rules/${i}`;
    if (names.has(foldName(rule.name)))
      findings.push({ pointer: `${at}/name`, code: 'name_taken', detail: `Another rule is called ${rule.name}.` });
    names.add(foldName(rule.name));
    findings.push(...peopleOf(rule, at, strangers), ...namedBy(rule, table, trashed, at));
    const reads = filtersOf(rule).flatMap(([where, filter]) => {
      try {
        return columnsBehind(conditionOf(parseJsonFilter(filter, at + where), table, access));
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        findings.push(...(error.errors ?? [{ pointer: at + where, code: error.code, detail: error.message }]));
        return [];
      }
    });
    const keys = [...rule.columns.hidden, ...rule.columns.readOnly];
    const columnIds = Object.fromEntries(
      keys.flatMap((key) => {
        const id = columnByKey(table, key)?.id ?? trashed.get(key);
        return id === undefined ? [] : [[key, id] as const];
      }),
    );
    return { ...rule, columnIds, reads: [...new Set(reads.map(({ id }) => id))], types: Object.fromEntries(reads.map(({ id, type }) => [id, live.get(id) ?? type])) }; // prettier-ignore
  });
  if (findings.length > 0) throw invalid(findings);
  return stored;
}

/** Stored rules that cannot be understood any more. */
export function problemsOf(
  rules: readonly StoredRule[],
  table: TableSchema,
  live: LiveColumns,
): { pointer: string; detail: string }[] {
  return rules.flatMap((rule, i) => {
    const broken = brokenBy(rule, live);
    return filtersOf(rule).flatMap(([where, filter]) => {
      const pointer = `/rules/${i}${where}`;
      if (broken !== undefined)
        return [{ pointer, detail: `A column that the filters of the rule speak of ${live.has(broken) ? 'holds something else by now' : 'is gone'}.` }]; // prettier-ignore
      try {
        conditionOf(parseJsonFilter(filter, pointer), table, { me: null });
        return [];
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        return [{ pointer, detail: error.errors?.[0]?.detail ?? error.message }];
      }
    });
  });
}

/**
 * The filter as far as it is known without a member: conditions that depend on an attribute are judged by their field only.
 * @throws Problem `filter_invalid`
 */
function conditionOf(input: FilterInput, table: TableSchema, who: Access | { readonly me: null }): Condition {
  const context: FilterContext =
    'me' in who ? { now: new Date(), me: SOMEBODY } : { now: new Date(), zone: who.timeZone, me: who.principal.userId };
  return resolveFilter(withoutAttributes(input, table), table, context);
}

/** Stands for whoever asks where nobody does. */
const SOMEBODY = '00000000-0000-7000-8000-000000000000';

function withoutAttributes(input: FilterInput, table: TableSchema): FilterInput {
  switch (input.kind) {
    case 'and':
    case 'or':
      return { ...input, items: input.items.map((item) => withoutAttributes(item, table)) };
    case 'not':
      return { ...input, item: withoutAttributes(input.item, table) };
    case 'link': {
      const derived = columnByKey(table, input.field)?.derived;
      return derived?.kind === 'link'
        ? { ...input, where: withoutAttributes(input.where, derived.link.target) }
        : input;
    }
    case 'leaf': {
      const column = attributesIn(input).size === 0 ? undefined : columnByKey(table, input.field);
      const operators = column ? operatorsOf(column) : [];
      if (!operators.some((known) => known === input.op)) return input;
      const nullary = operators.includes('isNull') ? 'isNull' : 'isEmpty';
      return { ...input, op: nullary, operand: { kind: 'none' } };
    }
  }
}

/** The columns that a condition speaks of, of linked rows, too. */
function columnsBehind(condition: Condition): readonly ColumnSchema[] {
  const linked = (each: Condition): readonly ColumnSchema[] => {
    switch (each.kind) {
      case 'and':
      case 'or':
        return each.items.flatMap(linked);
      case 'not':
        return linked(each.item);
      case 'linked':
        return columnsBehind(each.where);
      default:
        return [];
    }
  };
  return [...columnsIn(condition).flatMap(withSources), ...linked(condition)];
}

/** The column, and what its cells are computed from: they are others when one of these holds something else. */
function withSources(column: ColumnSchema): readonly ColumnSchema[] {
  const { derived } = column;
  if (derived?.kind === 'lookup' || derived?.kind === 'rollup') return [column, ...withSources(derived.column)];
  if (derived?.kind !== 'formula') return [column];
  return [column, ...columnsOf(expressionOf(derived.expression)).flatMap(withSources)];
}

function peopleOf({ appliesTo: { memberIds = [] } }: Rule, at: string, strangers: ReadonlySet<Id>): ProblemItem[] {
  return memberIds.flatMap((id, m) => {
    const pointer = `${at}/appliesTo/memberIds/${m}`;
    if (!isId(id)) return [{ pointer, code: 'is_id', detail: 'This is no id of a member.' }];
    return strangers.has(id)
      ? [{ pointer, code: 'not_a_member', detail: `${id} is not a member of the workspace.` }]
      : [];
  });
}

/** Columns have to be there; whoever may make rows has to be able to give what every row needs. */
function namedBy(
  { columns, create }: Rule,
  table: TableSchema,
  trashed: ReadonlyMap<string, Id>,
  at: string,
): ProblemItem[] {
  return (['hidden', 'readOnly'] as const).flatMap((list) =>
    columns[list].flatMap((key, k): ProblemItem[] => {
      const pointer = `${at}/columns/${list}/${k}`;
      const column = columnByKey(table, key);
      if (!column && trashed.has(key)) return [];
      if (!column)
        return [{ pointer, code: 'unknown_field', detail: `There is no field ${JSON.stringify(key.slice(0, 60))}.` }];
      if (!create.allow || !column.required || column.default !== null) return [];
      return [
        {
          pointer,
          code: 'required_column',
          detail: `Every row needs a value of ${key}, and this rule lets people make rows without being able to give one.`,
        },
      ];
    }),
  );
}
