import { Injectable } from '@nestjs/common';
import type { Id } from '../../common/index.js';
import { MiniDatabase, type PgSession } from '../../database/mini/index.js';
import { forgetImportMarks, importMark, moveImportMark, toStatement, type ImportMark } from '../../query/index.js';

/** Somebody else moved the mark of an import meanwhile; nothing was written. Never reaches a client. */
export class ImportTakenOver extends Error {
  constructor() {
    super('an import is worked at by somebody else');
    this.name = 'ImportTakenOver';
  }
}

/** How far imports have come, which every base keeps beside the rows: what is written once is never written again. */
@Injectable()
export class ImportMarks {
  constructor(private readonly database: MiniDatabase) {}

  /** Undefined: nothing of it is written. */
  async find(schema: string, id: Id): Promise<(ImportMark & { readonly errors: string }) | undefined> {
    const [row] = await this.database.query(toStatement(importMark(schema, id)));
    return row && { line: Number(row[0]), counts: row[1] ?? '{}', errors: row[2] ?? '[]' };
  }

  /**
   * Moves the mark `from` where it was seen, in the transaction of the rows that it stands for. Whoever else moves it at the same time
   * waits for the end of that, and is refused then.
   * @throws ImportTakenOver it is somewhere else by now
   */
  async move(session: PgSession, schema: string, id: Id, from: number, mark: ImportMark): Promise<void> {
    const moved = await session.query(toStatement(moveImportMark(schema, id, from, mark)));
    if (moved.length === 0) throw new ImportTakenOver();
  }

  /** Removes marks that were not moved since. @returns how many */
  async forget(schema: string, before: Date, atMost: number): Promise<number> {
    const [row] = await this.database.query(toStatement(forgetImportMarks(schema, before, atMost)));
    return Number(row?.[0]);
  }
}
