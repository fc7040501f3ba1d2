import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { countedPage, invalid, must, newId, type Access, type Id, type PageQuery } from '../../../common/index.js';
import { actorOf, MainDatabase } from '../../../database/main/index.js';
import { MiniDbLookup, SchemaMoved } from '../../../engines/index.js';
import { createBaseSchema, createTable, type TableSchema } from '../../../query/index.js';
import type { BaseDto } from '../bases/base.dto.js';
import type { BaseEntity } from '../bases/base.entity.js';
import { baseAudit, baseChanged, baseView, newBase, placed, tellingNameTaken } from '../bases/new-base.js';
import { DefaultPeople } from '../columns/default-people.js';
import type { BaseDraft } from '../schema/base-draft.js';
import { SchemaSaga, type SchemaChange } from '../schema/schema-saga.js';
import { Fence } from '../fence.js';
import { contextOf, readBase, readStructures, type Structure } from '../schema/structure.js';
import { TableCatalog, type BaseMeta } from '../table-catalog.js';
import { toBaseDto } from '../tables/to-dto.js';
import { ViewsOfBases } from '../views-of-bases.js';
import { TEMPLATES } from './built-in.js';
import { draftTemplate } from './draft-template.js';
import { exportRows, exportStructure } from './export-template.js';
import { sampleRows } from './template-rows.js';
import type { FromTemplateDto, TemplateDto, TemplateListDto } from './template.dto.js';
import { readTemplate, type Template, type TemplateTable } from './template.js';

const AT = '/template';

/** Bases from documents, and documents from bases. */
@Injectable()
export class TemplatesService {
  constructor(
    private readonly saga: SchemaSaga,
    private readonly database: MainDatabase,
    private readonly lookup: MiniDbLookup,
    private readonly catalog: TableCatalog,
    private readonly fence: Fence,
    private readonly people: DefaultPeople,
    private readonly views: ViewsOfBases,
  ) {}

  /** Those that come with the product. */
  list(page: PageQuery): TemplateListDto {
    const all = TEMPLATES.map(({ id, name, description, document }) => ({
      id,
      name,
      description,
      tables: document.tables.map((table) => table.name),
    }));
    return countedPage(all, page);
  }

  /**
   * The base with its tables, links and rows, in one transaction; whatever is wrong with the document refuses all of it.
   * @throws Problem `validation_failed`, `name_taken`, `limit_reached`, `unique_violation` sample rows that are not unique
   */
  async create(access: Access, input: FromTemplateDto): Promise<BaseDto> {
    const template = readTemplate(documentOf(input), AT);
    for (const [i, { columns }] of template.tables.entries())
      await this.people.judge(access, columns, (j) => `${AT}/tables/${i}/columns/${j}`);
    const { description, color, icon } = template;
    const base = { ...newBase(access.workspaceId, nameOf(input, template), description), color, icon };
    return tellingNameTaken(base.name, () =>
      this.saga.run({
        kind: 'base.from_template',
        baseId: base.id,
        workspaceId: base.workspaceId,
        actor: actorOf(access),
        plan: async (manager) => this.planned(manager, access, await placed(manager, base), template, input.templateId),
      }),
    );
  }

  /** @throws Problem `not_found` */
  async export(access: Access, baseId: Id, withRows: boolean): Promise<TemplateDto> {
    const { tables } = await this.catalog.base(baseId);
    return this.fence.runOver([...tables.keys()], async () => {
      const { base, structures } = await this.structureFor(access, baseId);
      const { views, leftOut } = await this.views.keeper.portable(
        access,
        structures.map(({ table, schema }) => ({ key: table.key, schema })),
      );
      const template: TemplateDto = {
        ...exportStructure(base, structures),
        views: [...views],
        ...(leftOut.length > 0 ? { viewsLeftOut: [...leftOut] } : {}),
      };
      if (!withRows) return template;
      const filled = await exportRows(template, structures, this.lookup);
      // Rules that came meanwhile, with a version of their own, hide what was read without them.
      mustBeSame(structures, await this.catalog.base(baseId));
      return filled;
    });
  }

  /** The tables of a base as somebody sees them: a member under rules without columns and rows that he does not see. @throws SchemaMoved */
  private async structureFor(
    access: Access,
    baseId: Id,
  ): Promise<{ readonly base: BaseEntity; readonly structures: readonly Structure[] }> {
    const { base, structures } = await this.database.snapshot(async (manager) => {
      const found = await readBase(manager, baseId);
      return { base: found, structures: await readStructures(manager, found) };
    });
    const now = await this.catalog.base(baseId);
    mustBeSame(structures, now);
    const seen = structures.map((each): Structure => {
      const schema = now.seen.of(each.table.id, access);
      return { ...each, schema, columns: now.seen.columnsOf(each.table.id, access, each.columns) };
    });
    return { base, structures: now.seen.isWholeFor(access) ? structures : seen };
  }

  /** Whoever may make tables may make views. */
  private async planned(
    manager: EntityManager,
    access: Access,
    base: BaseEntity,
    template: Template,
    templateId: string | undefined,
  ): Promise<SchemaChange<BaseDto>> {
    const drafted = draftTemplate(template, base, AT);
    const tables = drafted.tableIds.map((id, i) => ({
      table: must(template.tables[i], 'each table is of the template'),
      schema: drafted.draft.schemaOf(id),
    }));
    const views = await this.views.keeper.fromDocument(
      manager,
      access,
      template.views,
      tables.map(({ table, schema }) => ({ key: table.key, schema })),
      `${AT}/views`,
      base.name,
    );
    return fromTemplate(access, base, { draft: drafted.draft, tables, views, from: templateId ?? 'a document' });
  }
}

function documentOf({ templateId, template }: FromTemplateDto): unknown {
  if ((templateId === undefined) === (template === undefined))
    throw invalid([{ pointer: '', code: 'one_expected', detail: 'Either template or templateId is expected.' }]);
  return (
    template ??
    must(
      TEMPLATES.find(({ id }) => id === templateId),
      'the id is one of the list',
    ).document
  );
}

function nameOf({ name }: FromTemplateDto, template: Template): string {
  const chosen = name ?? template.name;
  if (chosen !== undefined) return chosen;
  throw invalid([{ pointer: '/name', code: 'required', detail: 'The base needs a name: here, or in the template.' }]);
}

/** @throws SchemaMoved a table has come, gone or changed since */
function mustBeSame(structures: readonly Structure[], { tables }: BaseMeta): void {
  const isSame = ({ table }: Structure): boolean => tables.get(table.id)?.table.schemaVersion === table.schemaVersion;
  if (structures.length !== tables.size || !structures.every(isSame)) throw new SchemaMoved();
}

/** A template that was read, as what it comes to. */
interface ReadTemplate {
  readonly draft: BaseDraft;
  readonly tables: readonly { readonly table: TemplateTable; readonly schema: TableSchema }[];
  readonly views: string;
  /** Which template it is, for the audit log. */
  readonly from: string;
}

function fromTemplate(
  access: Access,
  base: BaseEntity,
  { draft, tables, views, from }: ReadTemplate,
): SchemaChange<BaseDto> {
  const drafted = draft.finish(contextOf(access), [
    baseAudit(base, 'base.created', undefined, { ...baseView(base), from }),
  ]);
  return {
    schema: base.schemaName,
    makesSchema: true,
    statements: [
      ...createBaseSchema(base.schemaName, base.name),
      ...tables.flatMap(({ table, schema }) => createTable({ ...schema, name: table.name }, newId())),
      ...drafted.statements,
      ...sampleRows(access, tables, AT),
    ],
    patch: { ...drafted.patch, bases: [base], views, events: [baseChanged(base), ...drafted.patch.events] },
    result: toBaseDto(base),
  };
}
