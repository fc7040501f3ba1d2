import { Injectable, Logger } from '@nestjs/common';
import { cleanName, must, Problem, type Access, type Id } from '../../../common/index.js';
import { TablesService, type TableDto } from '../../tables/index.js';
import type { RowFile } from './file/row-file.js';
import { Importer, type ImportJob } from './importer.js';
import { optionsForNewTable } from './import-options.js';
import { mayPass } from './may-pass.js';
import { resultOf, type ImportTableAnswerDto, type InferredColumnDto } from './import.dto.js';
import { survey, type SurveyedColumn } from './survey.js';

/** A table to be made out of a file. */
export interface NewTable extends Pick<ImportJob, 'access' | 'file' | 'stop' | 'watch'> {
  /** Of the import. */
  readonly id: Id;
  readonly baseId: Id;
  readonly tableId: Id;
  readonly name: string;
  /** Where the file does not have to tell what they are. */
  readonly columns: readonly SurveyedColumn[] | undefined;
}

/** Makes tables out of files. */
@Injectable()
export class TableMaker {
  private readonly logger = new Logger('Import');

  constructor(
    private readonly importer: Importer,
    private readonly tables: TablesService,
  ) {}

  /**
   * A table with the columns of the file, of the types that all of its values have, and its rows. One that is there already, from a try
   * that did not come to its end, is filled.
   * @throws Problem `import_failed`, `name_taken`, `limit_reached` and whatever else an import is refused for; no table is left then
   */
  async make(wanted: NewTable): Promise<ImportTableAnswerDto> {
    const { access, baseId, tableId, name, file, stop } = wanted;
    try {
      const columns = wanted.columns ?? (await survey(file, stop));
      const input = {
        name,
        columns: columns.map(({ name, type, options }) => ({ name, type, options: { ...options } })),
      };
      const table = (await this.begun(access, tableId)) ?? (await this.tables.create(access, baseId, input, tableId));
      const keys = keysOf(table, columns);
      const result = await this.fill(wanted, withKeys(file, keys));
      return { table, inference: inferenceOf(keys, columns), import: result };
    } catch (error) {
      // Only for what will be the same the next time: what a failing server leaves is filled by whoever takes it up.
      if (!mayPass(error)) await this.remove(access, tableId);
      throw error;
    }
  }

  private async begun(access: Access, tableId: Id): Promise<TableDto | undefined> {
    try {
      return await this.tables.get(access, tableId);
    } catch (error) {
      if (error instanceof Problem && error.code === 'not_found') return undefined;
      throw error;
    }
  }

  private async fill({ id, access, tableId, columns, stop, watch }: NewTable, file: RowFile) {
    const options = optionsForNewTable(id, columns !== undefined);
    try {
      return resultOf(id, await this.importer.run({ access, tableId, file, options, stop, watch }));
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'not_found') throw error;
      throw new Problem('conflict', {
        detail: 'Somebody deleted the table while its rows were written.',
        cause: error,
      });
    }
  }

  private async remove(access: Access, tableId: Id): Promise<void> {
    try {
      if (await this.begun(access, tableId)) await this.tables.remove(access, tableId);
    } catch (error) {
      this.logger.warn({ msg: 'The table of an import that failed is still there', tableId, err: error });
    }
  }
}

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
