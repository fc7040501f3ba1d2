import { Injectable } from '@nestjs/common';
import { DataSource, IsNull, MoreThan } from 'typeorm';
import {
  foldName,
  idOfCursor,
  idPage,
  type Access,
  type Id,
  type Page,
  type PageQuery,
} from '../../../common/index.js';
import { actorOf, AuditedTransaction } from '../../../database/main/index.js';
import { createBaseSchema } from '../../../query/index.js';
import { SchemaSaga } from '../schema/schema-saga.js';
import { nextVersion, readBase, readStructures } from '../schema/structure.js';
import { tableChanged } from '../tables/table-changed.js';
import { toBaseDto } from '../tables/to-dto.js';
import type { BaseDto, CreateBaseDto, UpdateBaseDto } from './base.dto.js';
import { BaseEntity } from './base.entity.js';
import { baseAudit, baseChanged, baseView, mustBeFree, newBase, tellingNameTaken } from './new-base.js';

/** Use cases of bases. */
@Injectable()
export class BasesService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly saga: SchemaSaga,
    private readonly mainTransaction: AuditedTransaction,
  ) {}

  async list(access: Access, { limit, cursor }: PageQuery): Promise<Page<BaseDto>> {
    const bases = await this.dataSource.getRepository(BaseEntity).find({
      where: {
        workspaceId: access.workspaceId,
        deletedAt: IsNull(),
        ...(cursor ? { id: MoreThan(idOfCursor(cursor)) } : {}),
      },
      order: { id: 'ASC' },
      take: limit + 1,
    });
    return idPage(bases.map(toBaseDto), limit);
  }

  async get(baseId: Id): Promise<BaseDto> {
    return toBaseDto(await readBase(this.dataSource.manager, baseId));
  }

  /** @throws Problem `name_taken` */
  async create(access: Access, input: CreateBaseDto): Promise<BaseDto> {
    const base = newBase(access.workspaceId, input.name, input.description ?? null);
    return tellingNameTaken(base.name, () =>
      this.saga.run({
        kind: 'base.create',
        baseId: base.id,
        workspaceId: base.workspaceId,
        actor: actorOf(access),
        plan: async (manager) => {
          await mustBeFree(manager, base);
          return {
            schema: base.schemaName,
            statements: createBaseSchema(base.schemaName, base.name),
            makesSchema: true,
            patch: {
              bases: [base],
              audit: [baseAudit(base, 'base.created', undefined, baseView(base))],
              events: [baseChanged(base)],
            },
            result: toBaseDto(base),
          };
        },
      }),
    );
  }

  /** @throws Problem `name_taken` */
  async update(access: Access, baseId: Id, input: UpdateBaseDto): Promise<BaseDto> {
    return tellingNameTaken(input.name ?? '', () =>
      this.mainTransaction.run(actorOf(access), async (manager) => {
        const base = await readBase(manager, baseId);
        const after: BaseEntity = {
          ...base,
          ...(input.name === undefined ? {} : { name: input.name, nameFolded: foldName(input.name) }),
          ...(input.description === undefined ? {} : { description: input.description }),
          updatedAt: new Date(),
        };
        await manager.update(BaseEntity, baseId, after);
        return {
          result: toBaseDto(after),
          audit: [baseAudit(after, 'base.updated', baseView(base), baseView(after))],
          events: [baseChanged(base)],
        };
      }),
    );
  }

  /**
   * Into the trash, with its tables. Their schema versions move on, so that a node that has not heard of it yet is refused
   * by the mini-DB. Rows and logs are not touched.
   */
  async remove(access: Access, baseId: Id): Promise<void> {
    await this.saga.run({
      kind: 'base.delete',
      baseId,
      workspaceId: access.workspaceId,
      actor: actorOf(access),
      plan: async (manager) => {
        const base = await readBase(manager, baseId);
        const structures = await readStructures(manager, base);
        const nexts = structures.map((structure) => nextVersion(structure, access, { baseDeleted: true }));
        return {
          schema: base.schemaName,
          statements: nexts.map(({ statement }) => statement),
          patch: {
            bases: [{ ...base, deletedAt: new Date() }],
            tables: nexts.map(({ table }) => table),
            audit: [baseAudit(base, 'base.deleted', baseView(base))],
            events: [baseChanged(base), ...structures.map(({ table }) => tableChanged(table))],
          },
          result: undefined,
        };
      },
    });
  }
}
