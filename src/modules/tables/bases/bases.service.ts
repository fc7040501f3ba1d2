import { Injectable } from '@nestjs/common';
import { DataSource, IsNull, MoreThan, Not, type EntityManager } from 'typeorm';
import {
  deriveKey,
  foldName,
  idOfCursor,
  idPage,
  newId,
  type Access,
  type Id,
  type Page,
  type PageQuery,
} from '../../../common/index.js';
import { actorOf, isUniqueViolation, type AuditEntry, type OutboxEvent } from '../../../database/main/index.js';
import { commentSchema, createBaseSchema } from '../../../query/index.js';
import { nameTaken } from '../columns/make-columns.js';
import { SchemaSaga } from '../schema/schema-saga.js';
import { nextVersion, randomSuffix, readBase, readStructures } from '../schema/structure.js';
import { tableChanged } from '../tables/table-changed.js';
import { toBaseDto } from '../tables/to-dto.js';
import type { BaseDto, CreateBaseDto, UpdateBaseDto } from './base.dto.js';
import { BaseEntity } from './base.entity.js';

/** Use cases of bases. */
@Injectable()
export class BasesService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly saga: SchemaSaga,
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
    const at = new Date();
    const base: BaseEntity = {
      id: newId(),
      workspaceId: access.workspaceId,
      name: input.name,
      nameFolded: foldName(input.name),
      description: input.description ?? null,
      schemaName: schemaNameOf(input.name),
      createdAt: at,
      updatedAt: at,
      deletedAt: null,
    };
    return this.telling(base.name, () =>
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
              audit: [audit(base, 'base.created', undefined, view(base))],
              events: [changed(base)],
            },
            result: toBaseDto(base),
          };
        },
      }),
    );
  }

  /** @throws Problem `name_taken` */
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

const view = ({ name, description }: BaseEntity): object => ({ name, description });

const audit = (base: BaseEntity, action: string, before?: object, after?: object): AuditEntry => ({
  workspaceId: base.workspaceId,
  action,
  resource: { type: 'base', id: base.id, name: base.name },
  ...(before ? { before } : {}),
  ...(after ? { after } : {}),
});

const changed = (base: BaseEntity): OutboxEvent => ({
  topic: 'base.changed',
  payload: { baseId: base.id, workspaceId: base.workspaceId },
});
