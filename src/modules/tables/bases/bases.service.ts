import { Injectable } from '@nestjs/common';
import { DataSource, IsNull } from 'typeorm';
import { foldName, positionPage, type Access, type Id, type Page } from '../../../common/index.js';
import { actorOf } from '../../../database/main/index.js';
import { commentSchema, createBaseSchema } from '../../../query/index.js';
import { appearanceOf } from '../appearance.dto.js';
import { findInOrder } from '../in-order.js';
import { Retention } from '../retention.js';
import { SchemaSaga } from '../schema/schema-saga.js';
import { nextVersion, readBase, readStructures } from '../schema/structure.js';
import { tableChanged } from '../tables/table-changed.js';
import { toBaseDto } from '../tables/to-dto.js';
import type { TrashPageQuery } from '../trash.dto.js';
import type { BaseDto, CreateBaseDto, UpdateBaseDto } from './base.dto.js';
import { BaseEntity } from './base.entity.js';
import { baseAudit, baseChanged, baseView, mustBeFree, newBase, placed, tellingNameTaken } from './new-base.js';

/** Use cases of bases. */
@Injectable()
export class BasesService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly saga: SchemaSaga,
    private readonly retention: Retention,
  ) {}

  async list({ workspaceId }: Access, { trashed, ...page }: TrashPageQuery): Promise<Page<BaseDto>> {
    const deletedAt = trashed === 'true' ? this.retention.restorable() : IsNull();
    const bases = await findInOrder(this.dataSource.manager, BaseEntity, { workspaceId, deletedAt }, page);
    return positionPage(
      bases.map((base) => toBaseDto(base, this.retention.inTrash(base.deletedAt))),
      page.limit,
    );
  }

  async get(baseId: Id): Promise<BaseDto> {
    return toBaseDto(await readBase(this.dataSource.manager, baseId));
  }

  /** @throws Problem `name_taken` */
  async create(access: Access, input: CreateBaseDto): Promise<BaseDto> {
    const { workspaceId } = access;
    const made = newBase(workspaceId, input.name, input.description ?? null);
    return tellingNameTaken(made.name, () =>
      this.saga.run({
        kind: 'base.create',
        baseId: made.id,
        workspaceId,
        actor: actorOf(access),
        plan: async (manager) => {
          const base = { ...(await placed(manager, made)), ...appearanceOf(input) };
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

  /** What was not given stays, also when others change it at the same moment. @throws Problem `name_taken` */
  async update(access: Access, baseId: Id, input: UpdateBaseDto): Promise<BaseDto> {
    return tellingNameTaken(input.name ?? '', () =>
      this.saga.run({
        kind: 'base.update',
        baseId,
        workspaceId: access.workspaceId,
        actor: actorOf(access),
        plan: async (manager) => {
          const base = await readBase(manager, baseId);
          const after: BaseEntity = {
            ...base,
            ...(input.name === undefined ? {} : { name: input.name, nameFolded: foldName(input.name) }),
            ...(input.description === undefined ? {} : { description: input.description }),
            ...appearanceOf(input),
            updatedAt: new Date(),
          };
          await mustBeFree(manager, after);
          return {
            schema: base.schemaName,
            statements: [commentSchema(base.schemaName, after.name)],
            patch: {
              bases: [after],
              audit: [baseAudit(after, 'base.updated', baseView(base), baseView(after))],
              events: [baseChanged(base)],
            },
            result: toBaseDto(after),
          };
        },
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
