import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Rounds, type Id } from '../../../common/index.js';
import { MainDatabase } from '../../../database/main/index.js';
import { BasePurge } from './base-purge.js';
import { NotDue } from './not-due.js';
import { TablePurge } from './table-purge.js';

const EVERY_MS = 60 * 60 * 1000;
/** Also for nodes that never live for an hour. */
const FIRST_MS = 60 * 1000;
const LOCK = 7_203_003;

/** What a sweep removed, and which tables it made anew. */
export interface Swept {
  readonly bases: number;
  readonly tables: number;
  /** Tables of which columns were purged. */
  readonly columns: number;
  readonly rebuilt: number;
}

/** Removes bases, tables and columns for good that have been in the trash for longer than `TRASH_RETENTION`, every hour, on one node at a time. */
@Injectable()
export class StructurePurge implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(StructurePurge.name);
  private readonly rounds = new Rounds(
    () => this.sweep(),
    (err) => this.logger.warn({ msg: 'The trash could not be looked at', err }),
  );

  constructor(
    private readonly database: MainDatabase,
    private readonly bases: BasePurge,
    private readonly tables: TablePurge,
  ) {}

  onApplicationBootstrap(): void {
    this.rounds.begin({ everyMs: EVERY_MS, firstMs: FIRST_MS });
  }

  /** Waits for the one thing that is being purged, not for all that is due. */
  onModuleDestroy(): Promise<void> {
    return this.rounds.end();
  }

  /** Undefined when another node is at it. What cannot be purged keeps nothing else from it, and is tried again by the next sweep. */
  sweep(): Promise<Swept | undefined> {
    return this.database.alone(LOCK, async () => {
      const bases = await this.each(await this.bases.due(), (id) => this.bases.purge(id));
      const goOn = (): boolean => !this.rounds.isEnding;
      const tables = await this.each(await this.tables.dueTables(), (id) => this.tables.purgeTable(id, goOn));
      const columns = await this.each(await this.tables.tablesWithDueColumns(), (id) => this.tables.purgeColumns(id));
      const worn = await this.tables.wornTables();
      for (const { id } of worn.filter(({ tooLarge }) => tooLarge))
        this.logger.warn(`Table ${id} will soon take no further columns, and is too large to be made anew`);
      const small = worn.filter(({ tooLarge }) => !tooLarge).map(({ id }) => id);
      const rebuilt = await this.each(small, (id) => this.tables.rebuild(id));
      return { bases, tables, columns, rebuilt };
    });
  }

  private async each(ids: readonly Id[], purge: (id: Id) => Promise<void>): Promise<number> {
    let done = 0;
    for (const id of ids) {
      if (this.rounds.isEnding) break;
      try {
        await purge(id);
        done++;
      } catch (error) {
        if (!(error instanceof NotDue)) this.logger.warn({ msg: 'Could not be purged', id, err: error });
      }
    }
    return done;
  }
}
