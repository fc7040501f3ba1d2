import { Inject, Injectable } from '@nestjs/common';
import { notFound, type Access, type Id } from '../../common/index.js';
import { MiniDbFiles, MiniDbLookup, type StoredFile } from '../../engines/index.js';
import { kindOf, type TableSchema } from '../../query/index.js';
import { Fence, TableCatalog } from '../tables/index.js';
import type { AttachmentDto, AttachmentLinkDto } from './attachment.dto.js';
import { FileLinks } from './download/file-links.js';
import { FILE_STORAGE, storageKey, type FileStorage } from './storage/index.js';

/** Rows that are looked at by one statement for the files that they hold. */
const ROWS_AT_ONCE = 100;

/** What other modules and the API ask about files. */
@Injectable()
export class FilesService {
  constructor(
    private readonly tables: TableCatalog,
    private readonly fence: Fence,
    private readonly lookup: MiniDbLookup,
    private readonly files: MiniDbFiles,
    private readonly links: FileLinks,
    @Inject(FILE_STORAGE) private readonly storage: FileStorage,
  ) {}

  /**
   * A file of the table's base, whichever of its tables it was uploaded through, with an address to download it.
   * @throws Problem `not_found`
   */
  async link(access: Access, tableId: Id, fileId: Id): Promise<AttachmentLinkDto> {
    const { schema } = await this.tables.find(tableId);
    const file = await this.files.find(schema, fileId);
    if (!file || !(await this.shown(access, tableId, [fileId])).has(fileId)) throw notFound('attachment');
    const { url, expiresAt } = this.links.make(schema, fileId);
    return { ...toAttachmentDto(file), url, expiresAt: expiresAt.toISOString() };
  }

  /** Those of the ids that the caller may put into rows of the table; they stay for at least a day from now on, so a write may rely on them. */
  async usable(access: Access, tableId: Id, ids: readonly Id[]): Promise<ReadonlySet<Id>> {
    const { schema } = await this.tables.find(tableId);
    return this.shown(access, tableId, [...(await this.files.known(schema, ids))]);
  }

  /** Those of the files of the base that are shown to the caller: to members whom rules concern, their own and those of rows that they see. */
  private shown(access: Access, tableId: Id, ids: readonly Id[]): Promise<ReadonlySet<Id>> {
    return this.fence.run(access, tableId, async ({ schema, seen }) => {
      if (ids.length === 0 || seen.isWholeFor(access)) return new Set(ids);
      const own = (await this.files.list(schema, ids)).filter(({ createdBy }) => createdBy === access.principal.userId);
      const found = new Set(own.map(({ id }) => id));
      for (const table of seen.allFor(access)) await this.lookIn(table, ids, found);
      return found;
    });
  }

  /** Adds those of the files that a row of the table holds. A row may hold many, and a file be in many rows, so not all rows are looked at. */
  private async lookIn(table: TableSchema, ids: readonly Id[], found: Set<Id>): Promise<void> {
    const columns = table.columns.filter((column) => kindOf(column).type === 'attachment');
    for (let size = -1; columns.length > 0 && size !== found.size;) {
      size = found.size;
      const values = ids.filter((id) => !found.has(id));
      if (values.length === 0) return;
      const items = columns.map((column) => ({ kind: 'list', op: 'any', column, values }) as const);
      const rows = await this.lookup.matching(table, { kind: 'or', items }, ROWS_AT_ONCE);
      const held = await this.lookup.cells(
        table,
        rows.map(({ id }) => id),
        columns,
      );
      const there = new Set([...held.values()].flatMap(({ fields }) => Object.values(fields).flatMap(idsIn)));
      for (const id of values) if (there.has(id)) found.add(id);
    }
  }

  /**
   * Copies files of one base, all or those of these ids, into another, bytes and all; they keep their ids, so that rows can be copied
   * as they are. May be repeated when it failed half-way. Files that are on their way out are not copied.
   */
  async copy(fromSchema: string, toSchema: string, ids?: readonly Id[]): Promise<void> {
    for (const file of await this.files.list(fromSchema, ids)) {
      const copy: StoredFile = { ...file, storageKey: storageKey(toSchema, file.id) };
      await this.files.announce(toSchema, copy);
      await this.storage.copy(file.storageKey, copy.storageKey);
      await this.files.complete(toSchema, [copy]);
    }
  }
}

/** Ids of files in a cell as the JSON of its row has it, of lists of lists, too. */
function idsIn(cell: unknown): readonly Id[] {
  if (Array.isArray(cell)) return cell.flatMap(idsIn);
  if (typeof cell === 'string') return [cell];
  return typeof cell === 'object' && cell !== null && 'id' in cell ? [String(cell.id)] : [];
}

/** A file as the API shows it. */
export const toAttachmentDto = ({ id, name, size, mimeType, sha256 }: StoredFile): AttachmentDto => ({
  id,
  name,
  size,
  mimeType,
  sha256,
});
