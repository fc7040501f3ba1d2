import { Injectable } from '@nestjs/common';
import { notFound, type Access, type Id } from '../../../common/index.js';
import { MiniDbLookup } from '../../../engines/index.js';
import { columnByKey, rowFilter, wholeOf, type TableSchema } from '../../../query/index.js';
import { AccessService } from '../../workspaces/index.js';
import { TableCatalog } from '../table-catalog.js';
import type { ExplainedRowDto, ExplainedRulesDto, ExplainRulesQuery } from './rules.dto.js';
import type { RuleInForce } from './table-rights.js';

/** Says which rules let a member see what, and why not more. */
@Injectable()
export class ExplainRules {
  constructor(
    private readonly catalog: TableCatalog,
    private readonly access: AccessService,
    private readonly lookup: MiniDbLookup,
  ) {}

  /** @throws Problem `not_found` the table, the member, or the row */
  async explain(access: Access, tableId: Id, { memberId, rowId }: ExplainRulesQuery): Promise<ExplainedRulesDto> {
    const { seen, tableSchema } = await this.catalog.fresh(tableId);
    const ruled = await this.access.asMember(access, memberId);
    const rules = seen.rulesFor(tableId, ruled);
    const table = seen.of(tableId, ruled);
    const row = rowId === undefined ? null : await this.row(tableSchema, rowId, rules, ruled.role !== 'viewer');
    return {
      memberId,
      role: ruled.role,
      reason: reasonOf(ruled.role, rules, row),
      rules: rules.map(({ rule }) => rule.name),
      columns: columnsSeen(table),
      row,
    };
  }

  private async row(
    table: TableSchema,
    rowId: Id,
    rules: readonly RuleInForce[],
    mayWrite: boolean,
  ): Promise<ExplainedRowDto> {
    const conditions = rules.flatMap((rule) => [rule.read, rule.update, rule.delete].map(rowFilter));
    const verdicts = (await this.lookup.judge(table, [rowId], conditions)).get(rowId);
    if (!verdicts) throw notFound('row');
    const says = rules.map(({ rule: { name } }, i) => {
      const [read = false, update = false, deletion = false] = verdicts.slice(3 * i);
      return { name, read, update, delete: deletion };
    });
    const any = (of: (each: (typeof says)[number]) => boolean): boolean => says.length === 0 || says.some(of);
    const read = any((each) => each.read);
    return {
      read,
      update: mayWrite && read && any((each) => each.update),
      delete: mayWrite && read && any((each) => each.delete),
      rules: says,
    };
  }
}

function reasonOf(role: string, rules: readonly RuleInForce[], row: ExplainedRowDto | null): string {
  if (rules.length === 0)
    return role === 'owner' || role === 'admin'
      ? `The role ${role} is never kept from anything.`
      : `No rule is for this member, so the role ${role} decides.`;
  const names = (list: readonly { readonly name: string }[]): string => list.map(({ name }) => `“${name}”`).join(', ');
  const all = names(rules.map(({ rule }) => rule));
  if (!row) return `Rules decide: ${all}.`;
  const letting = row.rules.filter(({ read }) => read);
  return row.read
    ? `Rules decide: the row can be read by ${names(letting)}.`
    : `Rules decide: none of ${all} lets the row be read.`;
}

function columnsSeen(table: TableSchema): ExplainedRulesDto['columns'] {
  const whole = wholeOf(table);
  return {
    hidden: whole.columns.filter(({ key }) => !columnByKey(table, key)).map(({ key }) => key),
    readOnly: table.columns.filter(({ locked }) => locked).map(({ key }) => key),
  };
}
