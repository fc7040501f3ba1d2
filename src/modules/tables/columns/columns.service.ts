import { Injectable } from '@nestjs/common';
import {
  must,
  placeOfCursor,
  positionPage,
  Problem,
  type Access,
  type Id,
  type Page,
  type PageQuery,
  type Place,
} from '../../../common/index.js';
import { TableCatalog } from '../table-catalog.js';
import { toColumnDto } from '../tables/to-dto.js';
import { MAX_COLUMNS, type ColumnDto, type CreateColumnDto, type UpdateColumnDto } from './column.dto.js';
import type { ColumnEntity } from './column.entity.js';
import { changeColumn, findColumn } from './change-column.js';
import { changeReferences } from './change-references.js';
import { ColumnChanges } from './column-changes.js';
import { DefaultPeople } from './default-people.js';
import { mustBeAtRest } from './convert/background/must-be-at-rest.js';
import { mustBeGivable } from '../rules/givable.js';
import { isComputed } from './resolve-references.js';

/** Use cases of columns that are there. Each is a schema change of its table, and of others that show it. */
@Injectable()
export class ColumnsService {
  constructor(
    private readonly changes: ColumnChanges,
    private readonly catalog: TableCatalog,
    private readonly people: DefaultPeople,
  ) {}

  async list(access: Access, tableId: Id, { limit, cursor }: PageQuery): Promise<Page<ColumnDto>> {
    const { columns, seen } = await this.catalog.fresh(tableId);
    const shown = seen.columnsOf(tableId, access, columns).map((column, position) => toColumnDto(column, position));
    const after = cursor === undefined ? undefined : placeOfCursor(cursor);
    return positionPage(after ? shown.filter((column) => isBehind(column, after)) : shown, limit);
  }

  /**
   * A link adds the column that shows it from the other table as well.
   * @throws Problem `name_taken`, `validation_failed`, `limit_reached`, `unique_violation`, `not_found`
   */
  async create(access: Access, tableId: Id, input: CreateColumnDto): Promise<ColumnDto> {
    await this.people.judge(access, [input], () => '');
    return this.changes.draft(access, tableId, 'column.create', (draft) => {
      const position = draft.table(tableId).columns.length;
      const column = must(draft.addColumns(tableId, [input], () => '')[0], 'one column was asked for');
      return { draft, result: toColumnDto(column, position) };
    });
  }

  /** @throws Problem `name_taken`, `validation_failed`, `rows_in_the_way` */
  async update(access: Access, tableId: Id, columnId: Id, input: UpdateColumnDto): Promise<ColumnDto> {
    if (input.default !== undefined) {
      const { columns } = await this.catalog.find(tableId);
      await this.people.judge(access, [{ ...findColumn(columns, columnId), default: input.default }], () => '');
    }
    return this.changes.run(access, tableId, 'column.update', async (structure, manager) => {
      await mustBeAtRest(manager, columnId);
      const leads = input.options !== undefined && isComputed(findColumn(structure.columns, columnId));
      const asked = leads ? await changeReferences(manager, structure, columnId, input) : input;
      const change = changeColumn(structure, columnId, asked);
      await mustBeGivable(manager, findColumn(structure.columns, columnId), change.column);
      return change;
    });
  }

  /**
   * Hidden at once, values kept until it is purged. What cannot be without it goes and comes back with it: the other end of a
   * link, and lookups, rollups and counts that lead through it or to it.
   */
  async remove(access: Access, tableId: Id, columnId: Id): Promise<void> {
    await this.changes.draft(access, tableId, 'column.delete', async (draft, manager) => {
      const column = findColumn(draft.table(tableId).columns, columnId);
      await mustBeAtRest(manager, columnId);
      draft.removeColumns([column], null);
      return { draft, result: undefined };
    });
  }
}

/** @throws Problem `limit_reached` */
export function mustHaveRoom(columns: readonly ColumnEntity[]): void {
  if (columns.length >= MAX_COLUMNS)
    throw new Problem('limit_reached', { detail: `A table has at most ${MAX_COLUMNS} columns.` });
}

const isBehind = ({ position, id }: Place, after: Place): boolean =>
  position > after.position || (position === after.position && id > after.id);
