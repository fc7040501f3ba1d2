import { Injectable } from '@nestjs/common';
import { invalid, must, newId, type Access, type Id } from '../../../common/index.js';
import { actorOf, MainDatabase } from '../../../database/main/index.js';
import { MiniDbLookup } from '../../../engines/index.js';
import { createBaseSchema, createTable } from '../../../query/index.js';
import type { BaseDto } from '../bases/base.dto.js';
import type { BaseEntity } from '../bases/base.entity.js';
import { baseAudit, baseChanged, baseView, newBase, placed, tellingNameTaken } from '../bases/new-base.js';
import { DefaultPeople } from '../columns/default-people.js';
import { SchemaSaga, type SchemaChange } from '../schema/schema-saga.js';
import { contextOf, readBase, readStructures } from '../schema/structure.js';
import { toBaseDto } from '../tables/to-dto.js';
import { TEMPLATES } from './built-in.js';
import { draftTemplate } from './draft-template.js';
import { exportRows, exportStructure } from './export-template.js';
import { sampleRows } from './template-rows.js';
import type { FromTemplateDto, TemplateDto, TemplateListDto } from './template.dto.js';
import { readTemplate, type Template } from './template.js';

const AT = '/template';

/** Bases from documents, and documents from bases. */
@Injectable()
export class TemplatesService {
  constructor(
    private readonly saga: SchemaSaga,
    private readonly database: MainDatabase,
    private readonly lookup: MiniDbLookup,
    private readonly people: DefaultPeople,
  ) {}

  /** Those that come with the product. */
  list(): TemplateListDto {
    return {
      data: TEMPLATES.map(({ id, name, description, document }) => ({
        id,
        name,
        description,
        tables: document.tables.map((table) => table.name),
      })),
    };
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
        plan: async (manager) => fromTemplate(access, await placed(manager, base), template, input.templateId),
      }),
    );
  }

  /** @throws Problem `not_found` */
  async export(baseId: Id, withRows: boolean): Promise<TemplateDto> {
    const { base, structures } = await this.database.snapshot(async (manager) => {
      const found = await readBase(manager, baseId);
      return { base: found, structures: await readStructures(manager, found) };
    });
    const template = exportStructure(base, structures);
    return withRows ? exportRows(template, structures, this.lookup) : template;
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

function fromTemplate(
  access: Access,
  base: BaseEntity,
  template: Template,
  templateId: string | undefined,
): SchemaChange<BaseDto> {
  const { draft, tableIds } = draftTemplate(template, base, AT);
  const from = templateId ?? 'a document';
  const drafted = draft.finish(contextOf(access), [
    baseAudit(base, 'base.created', undefined, { ...baseView(base), from }),
  ]);
  const tables = tableIds.map((id, i) => ({
    table: must(template.tables[i], 'each table is of the template'),
    schema: draft.schemaOf(id),
  }));
  return {
    schema: base.schemaName,
    makesSchema: true,
    statements: [
      ...createBaseSchema(base.schemaName, base.name),
      ...tables.flatMap(({ table, schema }) => createTable({ ...schema, name: table.name }, newId())),
      ...drafted.statements,
      ...sampleRows(access, tables, AT),
    ],
    patch: {
      ...drafted.patch,
      bases: [base],
      events: [baseChanged(base), ...drafted.patch.events],
    },
    result: toBaseDto(base),
  };
}
