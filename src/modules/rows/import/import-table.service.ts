import { Injectable, Logger } from '@nestjs/common';
import {
  cleanName,
  created,
  must,
  newId,
  Problem,
  type Access,
  type Answer,
  type AppRequest,
  type Id,
} from '../../../common/index.js';
import { TablesService, type TableDto } from '../../tables/index.js';
import { Importer } from './importer.js';
import type { ImportOptions } from './import-options.js';
import type { RowFile } from './file/row-file.js';
import type { ImportTableAnswerDto, ImportTableQuery, InferredColumnDto } from './import.dto.js';
import { ImportService, resultOf, type Arrived } from './import.service.js';
import { survey, type SurveyedColumn } from './survey.js';
import type { Tally } from './tally.js';

/** Use case of making a table out of a file. */
@Injectable()
export class ImportTableService {
  private readonly logger = new Logger('Import');

  constructor(
    private readonly imports: ImportService,
    private readonly importer: Importer,
    private readonly tables: TablesService,
  ) {}

  /**
   * A table with the columns of the file, of the types that all of its values have, and its rows.
   * @throws Problem `import_failed`, `name_taken`, `limit_reached` and whatever else an import is refused for; no table is left then
   */
  import(
    access: Access,
    baseId: Id,
    query: ImportTableQuery,
    request: AppRequest,
  ): Promise<Answer<ImportTableAnswerDto>> {
    return this.imports.received(request, query, async (arrived) => {
      const columns = await survey(arrived.file, arrived.gone);
      const table = await this.tables.create(access, baseId, {
        name: query.name,
        columns: columns.map(({ name, type }) => ({ name, type })),
      });
      const options = optionsFor();
      const keys = keysOf(table, columns);
      const file = withKeys(arrived.file, keys);
      const tally = await this.fill(access, table, { ...arrived, file }, options);
      return created(`/tables/${table.id}`, {
        table,
        inference: inferenceOf(keys, columns),
        import: resultOf(options, tally),
      });
    });
  }

  private async fill(access: Access, table: TableDto, { file, gone }: Arrived, options: ImportOptions): Promise<Tally> {
    try {
      return await this.importer.run({ access, tableId: table.id, file, options, gone });
    } catch (error) {
      await this.tables.remove(access, table.id).catch((failure: unknown) => {
        this.logger.warn({ msg: 'The table of an import that failed is still there', tableId: table.id, err: failure });
      });
      throw error instanceof Problem && error.code === 'not_found'
        ? new Problem('conflict', { detail: 'Somebody deleted the table while its rows were written.', cause: error })
        : error;
    }
  }
}

/** All or nothing: nobody else writes to a table that is not there yet, so it may take as long as it takes. */
const optionsFor = (): ImportOptions => ({
  id: newId(),
  mode: 'append',
  matchOn: [],
  onError: 'abort',
  dryRun: false,
  ignoreUnknown: false,
  mostAtOnce: Number.MAX_SAFE_INTEGER,
});

const keysOf = (table: TableDto, columns: readonly SurveyedColumn[]): ReadonlyMap<string, string> =>
  new Map(
    columns.map(({ name }) => [
      name,
      must(
        table.columns.find((column) => column.name === name),
        'each column that was asked for is made',
      ).key,
    ]),
  );

/** The file with the keys of the columns in the place of their names, one of which may be the key of another. */
function withKeys(file: RowFile, keys: ReadonlyMap<string, string>): RowFile {
  return {
    header: async () => ((await file.header()) === undefined ? undefined : [...keys.values()]),
    async *rows() {
      for await (const batch of file.rows())
        yield batch.map((row) => (row.fields ? { ...row, fields: renamed(row.fields, keys) } : row));
    },
  };
}

const renamed = (fields: Readonly<Record<string, unknown>>, keys: ReadonlyMap<string, string>) =>
  Object.fromEntries(Object.entries(fields).map(([name, cell]) => [keys.get(cleanName(name) ?? '') ?? name, cell]));

const inferenceOf = (keys: ReadonlyMap<string, string>, columns: readonly SurveyedColumn[]): InferredColumnDto[] =>
  columns.map(({ name, type, reason }) => ({ column: keys.get(name) ?? name, type, reason }));
