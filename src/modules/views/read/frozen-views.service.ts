import { Injectable } from '@nestjs/common';
import type { Access, Id } from '../../../common/index.js';
import {
  isGrouped,
  kindOf,
  operatorsOf,
  parseViewDefinition,
  pinsOf,
  showsPeople,
  tablesBehind,
  tablesIn,
  usedTables,
  valueType,
  viewChangesByTime,
  type ColumnPins,
  type ColumnSchema,
  type TableRef,
  type UsedTables,
  type ValueKind,
  type ViewColumn,
  type ViewDefinition,
  type ViewRequest,
  type ViewScope,
} from '../../../query/index.js';
import { AT, ViewFit } from '../stored/view-fit.js';
import { broken, isMisfit } from '../stored/stored-definition.js';
import type { StoredJson, ViewEntity } from '../stored/view.entity.js';
import { ViewsService } from '../stored/views.service.js';
import type { Question } from './execution/outcome.js';
import type { Reader } from './reader.js';
import { ViewReader, type PlannedView, type ReadPage } from './view-reader.service.js';

/** A column of the answers. */
export interface ShownColumn extends ValueKind {
  readonly key: string;
  readonly name: string;
  /** By which rows can be filtered by it. */
  readonly operators: readonly string[];
  readonly isSortable: boolean;
  /** Whether its cells may be, or hold, ids of people. */
  readonly showsPeople: boolean;
}

/** A view as it was at one moment, with the columns of its answers spelled out: later changes of the view do not touch it. */
export interface FrozenView {
  readonly definition: StoredJson;
  readonly pins: StoredJson;
}

/** What answers of a frozen view are made of, as its sources are now. */
export interface OpenedView {
  readonly columns: readonly ShownColumn[];
  readonly isGrouped: boolean;
  /** Every table of ours whose changes may change an answer. */
  readonly tables: readonly TableRef[];
  /** What of tables of ours the answers are made of, and nothing else. */
  readonly used: UsedTables;
  /** Whether something else may change an answer without a trace: another database, or the time. */
  readonly isUntraceable: boolean;
  readonly isExternal: boolean;
}

/** Freezes views, and reads them as they were frozen; for nobody in particular. */
@Injectable()
export class FrozenViews {
  /** A frozen view never changes; what is read again and again is taken apart once, and so keeps the columns that it came to. */
  private readonly definitions = new WeakMap<FrozenView, ViewDefinition>();
  private readonly opened = new WeakMap<PlannedView, OpenedView>();

  constructor(
    private readonly views: ViewsService,
    private readonly fit: ViewFit,
    private readonly reader: ViewReader,
  ) {}

  /**
   * The view as it is, without the columns that `leaveOut` names; of groups nothing can be left out.
   * @throws Problem `not_found`, `view_broken`, and 422 where it cannot be read by nobody in particular
   */
  async freeze(
    access: Access,
    id: Id,
    leaveOut: (column: ShownColumn) => boolean,
  ): Promise<{ readonly view: ViewEntity; readonly frozen: FrozenView; readonly opened: OpenedView }> {
    const view = await this.views.find(access, id);
    await this.fit.checkStored(access, view);
    const plan = await this.reader.plan(readerOf(access), definitionOf(view), AT);
    // Columns that came after the view was made are spelled out as well, and their keys have to go on meaning them.
    const pins = pinnedToo(view.pins as ColumnPins, pinsOf(plan.view.table));
    const opened = openedOf(plan);
    const named = withAliases(view.definition, plan);
    if (opened.isGrouped) return { view, frozen: { definition: named, pins }, opened };
    const definition = { ...named, columns: spelledOut(plan, leaveOut) };
    const frozen = { definition, pins };
    if (definition.columns.length === 0) return { view, frozen, opened: { ...opened, columns: [] } };
    return { view, frozen, opened: openedOf(await this.reader.plan(readerOf(access), frozenDefinition(frozen), AT)) };
  }

  /** Whether the view is its owner's alone, whatever is shown of it to the world. @throws Problem `not_found` */
  async isPrivate(access: Access, id: Id): Promise<boolean> {
    return (await this.views.find(access, id)).visibility === 'private';
  }

  /**
   * The same object as long as the sources are the same.
   * @throws Problem `view_broken` it does not fit its sources any more
   */
  async open(reader: Reader, frozen: FrozenView): Promise<OpenedView> {
    try {
      const plan = await this.reader.plan(reader, this.definitionOf(frozen), AT);
      let opened = this.opened.get(plan);
      if (!opened) this.opened.set(plan, (opened = openedOf(plan)));
      return opened;
    } catch (error) {
      throw isMisfit(error) ? broken(error) : error;
    }
  }

  /** @throws Problem `view_broken`; what the scope's filter is refused with */
  async check(reader: Reader, frozen: FrozenView, scope: ViewScope): Promise<OpenedView> {
    const opened = await this.open(reader, frozen);
    await this.reader.checkScope(reader, this.definitionOf(frozen), scope, AT);
    return opened;
  }

  /** One page. Throws as the reader does; what does not fit any more is told by {@link open}. */
  page(
    reader: Reader,
    frozen: FrozenView,
    request: ViewRequest,
    scope: ViewScope,
    signal: AbortSignal,
  ): Promise<ReadPage> {
    return this.reader.page(reader, this.definitionOf(frozen), request, scope, AT, signal);
  }

  private definitionOf(frozen: FrozenView): ViewDefinition {
    let definition = this.definitions.get(frozen);
    if (!definition) this.definitions.set(frozen, (definition = frozenDefinition(frozen)));
    return definition;
  }
}

/** What the view was pinned to stays so; a column that has taken a key since is not among those that it shows. */
const pinnedToo = (view: ColumnPins, now: ColumnPins): ColumnPins =>
  Object.fromEntries(Object.entries(now).map(([table, columns]) => [table, { ...columns, ...view[table] }]));

/** The same workspace, and nobody: what says "me" means nobody. */
const readerOf = ({ workspaceId, timeZone }: Access): Reader => ({ workspaceId, timeZone });

const definitionOf = ({ definition, pins }: FrozenView): ViewDefinition => ({
  ...parseViewDefinition(definition, AT),
  pins: pins as ColumnPins,
});

/** With the columns that there were then only: others would make names ambiguous that lead to one of them. */
const frozenDefinition = (frozen: FrozenView): ViewDefinition => ({ ...definitionOf(frozen), isFrozen: true });

/** Each source by the alias that it has now: one that is its table's own can become another when the table comes back from the trash. */
function withAliases(definition: StoredJson, { view }: PlannedView): StoredJson {
  const [first, ...others] = view.table.places.map(({ alias }) => alias);
  const { joins } = definition as { readonly joins?: readonly object[] };
  return {
    ...definition,
    as: first,
    ...(joins ? { joins: joins.map((join, i) => ({ ...join, as: others[i] })) } : {}),
  };
}

function openedOf({ view, question }: PlannedView): OpenedView {
  const { places } = view.table;
  const isExternal = places.some(({ source }) => source.kind === 'object');
  return {
    columns: shownBy(question),
    isGrouped: isGrouped(view.definition),
    tables: tablesBehind(tablesIn(view.table)),
    used: usedTables(question.plan),
    isUntraceable: isExternal || viewChangesByTime(view),
    isExternal,
  };
}

function shownBy(question: Question): readonly ShownColumn[] {
  if (question.kind === 'rows') return question.plan.select.map((column) => shownColumn(column));
  const { groups, aggregates } = question.plan;
  return [...groups, ...aggregates].map(({ output, column }) => shownColumn(output, column));
}

/** @param source what its values are made of, where that is another column */
function shownColumn(column: ColumnSchema, source?: ColumnSchema): ShownColumn {
  const { type, options, list } = kindOf(column);
  return {
    ...{ key: column.key, name: column.name, type, options, list },
    operators: operatorsOf(column),
    isSortable: valueType(column).sortable !== false,
    // A number of people is none of them.
    showsPeople: showsPeople(column) || (source !== undefined && type !== 'integer' && showsPeople(source)),
  };
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;

/** Each column by the name that is its own whatever comes to the sources, under the key that it has now. */
function spelledOut(
  { view, question }: PlannedView,
  leaveOut: (column: ShownColumn) => boolean,
): readonly { readonly field: string; readonly as?: string }[] {
  if (question.kind !== 'rows') throw new Error('columns of groups have their names already');
  return question.plan.select
    .filter((column) => !leaveOut(shownColumn(column)))
    .map((column) => ({
      field: ownName(column, view),
      ...(NAME.test(column.key) ? { as: column.key } : {}),
    }));
}

function ownName({ of, id, key }: ViewColumn, { table }: PlannedView['view']): string {
  const inTable = table.columns.find((column) => column.id === id)?.key ?? key;
  if (of.kind === 'formula') return inTable;
  const alias = table.places[of.place]?.alias ?? '';
  const name = of.kind === 'key' ? `${alias}._id` : `${alias}.${of.column.key}`;
  // A column of another database may have a key that looks like this.
  return table.names?.get(name)?.id === id && !table.columns.some((column) => column.key === name) ? name : inTable;
}
