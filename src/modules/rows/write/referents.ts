import { Injectable } from '@nestjs/common';
import type { Access, Id, ProblemItem } from '../../../common/index.js';
import { MiniDbLookup } from '../../../engines/index.js';
import {
  columnOfWhole,
  isLink,
  kindOf,
  wholeOf,
  type CellValue,
  type ColumnSchema,
  type RowOp,
  type TableSchema,
} from '../../../query/index.js';
import { FilesService } from '../../files/index.js';
import { AccessService } from '../../workspaces/index.js';
import type { Indexed } from './upsert.js';

/** An op, as far as its values count. */
export type Valued = RowOp | { readonly kind: 'upsert'; readonly values: ReadonlyMap<ColumnSchema, CellValue> };

/** Findings by the index of the op, with pointers below `/fields`. */
export type Findings = ReadonlyMap<number, readonly ProblemItem[]>;

/** One id that an op brings. */
interface Reference {
  readonly index: number;
  readonly column: ColumnSchema;
  readonly id: Id;
}

/** Which of the ids are there; undefined for columns that lead nowhere outside of the base's tables. */
type Look = (ids: readonly Id[]) => Promise<ReadonlySet<Id>>;

/**
 * Whether what values lead to outside of the tables is there: people have to be members of the workspace, files have to be
 * uploaded to the base. Linked rows are judged by the write itself, under its locks.
 */
@Injectable()
export class Referents {
  constructor(
    private readonly access: AccessService,
    private readonly files: FilesService,
    private readonly lookup: MiniDbLookup,
  ) {}

  /** What is wrong with the ops. Asks nothing when none of them has such a value. */
  async judge(access: Access, table: TableSchema, ops: readonly Indexed<Valued>[]): Promise<Findings> {
    const findings = new Map<number, ProblemItem[]>();
    const looks = {
      user: { look: this.members(access), code: 'not_a_member', what: 'a member of the workspace' },
      attachment: { look: this.usable(access, table), code: 'not_an_attachment', what: 'a file of this base' },
    } as const;
    for (const [type, { look, code, what }] of Object.entries(looks)) {
      const given = references(wholeOf(table), ops, type);
      if (given.length === 0) continue;
      const there = await look([...new Set(given.map(({ id }) => id))]);
      for (const { index, column, id } of given) {
        if (there.has(id)) continue;
        const item = { pointer: `/fields/${column.key}`, code, detail: `${id} is not ${what}.` };
        findings.set(index, [...(findings.get(index) ?? []), item]);
      }
    }
    await this.judgeLinks(table, ops, findings);
    return findings;
  }

  /** Of somebody who does not see all rows at the other end: a row that he does not see is none. */
  private async judgeLinks(
    table: TableSchema,
    ops: readonly Indexed<Valued>[],
    findings: Map<number, ProblemItem[]>,
  ): Promise<void> {
    for (const column of table.columns.filter(isLink)) {
      const { target } = column.derived.link;
      if (!target.seen?.rows) continue;
      const own = columnOfWhole(table, column);
      const given = ops.flatMap(({ index, op }) =>
        op.kind === 'delete' ? [] : idsOf(op.values.get(own) ?? null).map((id) => ({ index, id })),
      );
      const there = await this.lookup.versions(target, [...new Set(given.map(({ id }) => id))]);
      for (const { index, id } of given) {
        if (there.has(id)) continue;
        const item = {
          pointer: `/fields/${column.key}`,
          code: 'row_not_found',
          detail: `There is no row ${id} to link to.`,
        };
        findings.set(index, [...(findings.get(index) ?? []), item]);
      }
    }
  }

  private members({ workspaceId }: Access): Look {
    return async (ids) => {
      const found = await this.access.memberships(ids, [workspaceId]);
      return new Set(found.map(({ userId }) => userId));
    };
  }

  private usable(access: Access, { id }: TableSchema): Look {
    return (ids) => this.files.usable(access, id, ids);
  }
}

function references(table: TableSchema, ops: readonly Indexed<Valued>[], type: string): Reference[] {
  const columns = table.columns.filter((column) => column.derived === undefined && kindOf(column).type === type);
  if (columns.length === 0) return [];
  return ops.flatMap(({ index, op }) =>
    op.kind === 'delete'
      ? []
      : columns.flatMap((column) => idsOf(op.values.get(column) ?? null).map((id) => ({ index, column, id }))),
  );
}

const idsOf = (cell: CellValue): readonly Id[] =>
  cell === null ? [] : typeof cell === 'object' ? (cell as readonly Id[]) : [String(cell)];
