import { Injectable } from '@nestjs/common';
import { DataSource, IsNull, Not, type EntityManager } from 'typeorm';
import { deriveKey, foldName, newId, positionPage, type Access, type Id, type Page } from '../../../common/index.js';
import { actorOf, isUniqueViolation, type AuditEntry, type OutboxEvent } from '../../../database/main/index.js';
import { commentSchema, createBaseSchema } from '../../../query/index.js';
import { appearanceOf } from '../appearance.dto.js';
import { nameTaken } from '../columns/make-columns.js';
import { findInOrder, positionAfter } from '../in-order.js';
import { Retention } from '../retention.js';
import { SchemaSaga } from '../schema/schema-saga.js';
import { nextVersion, randomSuffix, readBase, readStructures } from '../schema/structure.js';
import { tableChanged } from '../tables/table-changed.js';
import { toBaseDto } from '../tables/to-dto.js';
import type { TrashPageQuery } from '../trash.dto.js';
import type { BaseDto, CreateBaseDto, UpdateBaseDto } from './base.dto.js';
import { BaseEntity } from './base.entity.js';

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
    const at = new Date();
    const { workspaceId } = access;
    const made: BaseEntity = {
      id: newId(),
      workspaceId,
      name: input.name,
      nameFolded: foldName(input.name),
      description: input.description ?? null,
      color: null,
      icon: null,
      position: 0,
      schemaName: schemaNameOf(input.name),
      createdAt: at,
      updatedAt: at,
      deletedAt: null,
    };
    return this.telling(made.name, () =>
      this.saga.run({
        kind: 'base.create',
        baseId: made.id,
        workspaceId,
        actor: actorOf(access),
        plan: async (manager) => {
          const siblings = await manager.findBy(BaseEntity, { workspaceId, deletedAt: IsNull() });
          if (siblings.some(({ nameFolded }) => nameFolded === made.nameFolded)) throw nameTaken('/name', made.name);
          const base = { ...made, position: positionAfter(siblings), ...appearanceOf(input) };
          return {
            schema: base.schemaName,
            statements: createBaseSchema(base.schemaName, base.name),
            makesSchema: true,
            patch: {
              bases: [base],
              audit: [audit(base, 'base.created', undefined, view(base))],
              events: [changed(base)],
            },
            result: toBaseDto(base),
          };
        },
      }),
    );
  }

  /** What was not given stays, also when others change it at the same moment. @throws Problem `name_taken` */
  async update(access: Access, baseId: Id, input: UpdateBaseDto): Promise<BaseDto> {
    return this.telling(input.name ?? '', () =>
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
              audit: [audit(after, 'base.updated', view(base), view(after))],
              events: [changed(base)],
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
            audit: [audit(base, 'base.deleted', view(base))],
            events: [changed(base), ...structures.map(({ table }) => tableChanged(table))],
          },
          result: undefined,
        };
      },
    });
  }

  /** The last word on names has the unique index. */
  private async telling<T>(name: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw isUniqueViolation(error, 'bases_name') ? nameTaken('/name', name) : error;
    }
  }
}

async function mustBeFree(manager: EntityManager, { id, workspaceId, name, nameFolded }: BaseEntity): Promise<void> {
  const same = { id: Not(id), workspaceId, nameFolded, deletedAt: IsNull() };
  if (await manager.existsBy(BaseEntity, same)) throw nameTaken('/name', name);
}

/** PostgreSQL keeps schema names that begin with `pg_` for itself (manual 5.10). */
const schemaNameOf = (name: string): string =>
  `${deriveKey(name).slice(0, 40)}_${randomSuffix()}`.replace(/^pg_/, 'base_pg_');

export const view = ({ name, description, color, icon, position }: BaseEntity): object => ({
  name,
  description,
  color,
  icon,
  position,
});

export const audit = (base: BaseEntity, action: string, before?: object, after?: object): AuditEntry => ({
  workspaceId: base.workspaceId,
  action,
  resource: { type: 'base', id: base.id, name: base.name },
  ...(before ? { before } : {}),
  ...(after ? { after } : {}),
});

export const changed = (base: BaseEntity): OutboxEvent => ({
  topic: 'base.changed',
  payload: { baseId: base.id, workspaceId: base.workspaceId },
});
