import { Injectable } from '@nestjs/common';
import type { Access, Id, ProblemItem } from '../../../common/index.js';
import { kindOf, type CellValue, type ColumnSchema, type RowOp, type TableSchema } from '../../../query/index.js';
import { AccessService } from '../../workspaces/index.js';

/** An op, as far as its values count. */
type Valued =
  | Extract<RowOp, { values: unknown }>
  | { readonly kind: 'upsert'; readonly values: ReadonlyMap<ColumnSchema, CellValue> };

/** Findings by the index that the caller gave. */
export type Findings = ReadonlyMap<number, readonly ProblemItem[]>;

/**
 * Whether what values lead to outside of the table is there: people have to be members of the workspace. Linked rows are judged
 * by the write itself, under its locks.
 */
@Injectable()
export class Referents {
  constructor(private readonly access: AccessService) {}

  /** What is wrong with the ops, with pointers below `/fields`. Asks nothing when no op has such a value. */
  async judge(
    access: Access,
    table: TableSchema,
    ops: readonly { readonly index: number; readonly op: RowOp | Valued }[],
  ): Promise<Findings> {
    const findings = new Map<number, ProblemItem[]>();
    const columns = table.columns.filter((column) => column.derived === undefined && kindOf(column).type === 'user');
    const given = columns.length === 0 ? [] : ops.flatMap(({ index, op }) => valuesOf(index, op, columns));
    if (given.length === 0) return findings;
    const members = await this.membersAmong(access, new Set(given.map(({ id }) => id)));
    for (const { index, column, id } of given) {
      if (members.has(id)) continue;
      const item = {
        pointer: `/fields/${column.key}`,
        code: 'not_a_member',
        detail: `${id} is not a member of the workspace.`,
      };
      findings.set(index, [...(findings.get(index) ?? []), item]);
    }
    return findings;
  }

  private async membersAmong({ workspaceId }: Access, userIds: ReadonlySet<Id>): Promise<ReadonlySet<Id>> {
    const found = await this.access.memberships([...userIds], [workspaceId]);
    return new Set(found.map(({ userId }) => userId));
  }
}

function valuesOf(
  index: number,
  op: RowOp | Valued,
  columns: readonly ColumnSchema[],
): { readonly index: number; readonly column: ColumnSchema; readonly id: Id }[] {
  if (op.kind === 'delete') return [];
  return columns.flatMap((column) => {
    const cell = op.values.get(column) ?? null;
    const ids = cell === null ? [] : Array.isArray(cell) ? (cell as readonly Id[]) : [String(cell)];
    return ids.map((id) => ({ index, column, id }));
  });
}
