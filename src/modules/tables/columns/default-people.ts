import { Injectable } from '@nestjs/common';
import { invalid, isId, type Access, type ProblemItem } from '../../../common/index.js';
import { AccessService } from '../../workspaces/index.js';
import type { CreateColumnDto } from './column.dto.js';

/** A column with a default that somebody asks for. */
type Asked = Partial<Pick<CreateColumnDto, 'type' | 'default'>>;

/** Whom columns of people name as their default: only members of the workspace, since every new row would be refused otherwise. */
@Injectable()
export class DefaultPeople {
  constructor(private readonly access: AccessService) {}

  /** @param at pointer of the n-th column in the body @throws Problem `validation_failed` with `not_a_member` */
  async judge({ workspaceId }: Access, columns: readonly Asked[], at: (i: number) => string): Promise<void> {
    const named = columns.flatMap((column, i) => peopleOf(column).map((id) => ({ id, pointer: `${at(i)}/default` })));
    if (named.length === 0) return;
    const found = await this.access.memberships([...new Set(named.map(({ id }) => id))], [workspaceId]);
    const members = new Set(found.map(({ userId }) => userId));
    const strangers = named.filter(({ id }) => !members.has(id));
    if (strangers.length > 0)
      throw invalid(
        strangers.map(({ id, pointer }): ProblemItem => ({
          pointer,
          code: 'not_a_member',
          detail: `${id} is not a member of the workspace.`,
        })),
      );
  }
}

const peopleOf = ({ type, default: initial }: Asked): readonly string[] =>
  type === 'user' ? (Array.isArray(initial) ? (initial as readonly unknown[]) : [initial]).filter(isId) : [];
