import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { FailingTwice, Rounds } from '../../../common/index.js';
import { APP_CONFIG, type AppConfig } from '../../../config/index.js';
import { MainDatabase } from '../../../database/main/index.js';
import { ImportMarks, KeptWrites, MiniDbUpkeep } from '../../../engines/index.js';
import { PhysicalColumns, Retention } from '../../tables/index.js';
import { ImportJobs } from '../import/jobs/import-jobs.js';

const EVERY_MS = 60 * 60 * 1000;
/** Also for nodes that never live for an hour. */
const FIRST_MS = 90 * 1000;
const LOCK = 7_203_004;
const AT_ONCE = 5_000;
const DAY_MS = 24 * 60 * 60 * 1000;
/** So long imports are told of. */
const IMPORTS_MS = 7 * DAY_MS;
/** Longer than any import can wait to be taken up, in a base in the trash for example: without its mark it would begin anew. */
const MARKS_MS = 400 * DAY_MS;

/** What a sweep removed. */
export interface SweptRows {
  readonly rows: number;
  readonly changes: number;
  readonly answers: number;
  /** Imports that are over, and what they noted beside their rows. */
  readonly imports: number;
  readonly marks: number;
}

/**
 * Removes for good, every hour and on one node at a time: rows that have been in the trash for longer than `TRASH_RETENTION`, changes
 * older than `CHANGE_LOG_RETENTION` or than their workspace keeps them, answers that nobody can ask for any more, imports that were over a week ago.
 */
@Injectable()
export class RowsUpkeep implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Rows');
  private readonly failing = new FailingTwice();
  private readonly rounds = new Rounds(
    () => this.sweep(),
    // The databases are away; health says so, and the next sweep tries again.
    (err) => this.logger.debug({ msg: 'Rows cannot be swept', err }),
  );

  constructor(
    private readonly database: MainDatabase,
    private readonly bases: PhysicalColumns,
    private readonly retention: Retention,
    private readonly upkeep: MiniDbUpkeep,
    private readonly kept: KeptWrites,
    private readonly marks: ImportMarks,
    private readonly imports: ImportJobs,
    @Inject(APP_CONFIG) private readonly config: AppConfig,
  ) {}

  onApplicationBootstrap(): void {
    this.rounds.begin({ everyMs: EVERY_MS, firstMs: FIRST_MS });
  }

  onModuleDestroy(): Promise<void> {
    return this.rounds.end();
  }

  /** Undefined when another node is at it. What fails in one base keeps none of the others from it. */
  sweep(): Promise<SweptRows | undefined> {
    return this.database.alone(LOCK, async () => {
      const swept = { rows: 0, changes: 0, answers: 0, imports: await this.forgetImports(), marks: 0 };
      for (const { schema, historyDays } of await this.bases.kept()) {
        if (this.rounds.isEnding) break;
        try {
          const base = await this.sweepBase(schema, historyDays);
          swept.rows += base.rows;
          swept.changes += base.changes;
          swept.answers += base.answers;
          swept.marks += base.marks;
          this.failing.worked(schema);
        } catch (error) {
          // Such as a structure change or a long import in the middle; the next sweep tries again.
          this.logger[this.failing.again(schema) ? 'warn' : 'debug']({
            msg: 'The rows of a base could not be swept',
            schema,
            err: error,
          });
        }
      }
      return swept;
    });
  }

  private async forgetImports(): Promise<number> {
    let imports = 0;
    for (let gone = AT_ONCE; gone === AT_ONCE && !this.rounds.isEnding; imports += gone)
      gone = await this.imports.forget(new Date(Date.now() - IMPORTS_MS), AT_ONCE);
    return imports;
  }

  private async sweepBase(schema: string, historyDays: number | null): Promise<Omit<SweptRows, 'imports'>> {
    const goOn = (): boolean => !this.rounds.isEnding;
    const { names, logged } = await this.upkeep.tablesOf(schema);
    const before = this.retention.purgedBefore();
    let [rows, changes, answers, marks] = [0, 0, 0, 0];
    for (const name of names) rows += await this.upkeep.purgeTrash(schema, name, before, goOn);
    const keptMs = Math.min((this.config.changeLogSeconds ?? Infinity) * 1000, (historyDays ?? Infinity) * DAY_MS);
    if (Number.isFinite(keptMs)) {
      const cut = new Date(Date.now() - keptMs);
      for (const id of logged) changes += await this.upkeep.forgetChanges(schema, id, cut, goOn);
    }
    for (let gone = AT_ONCE; gone === AT_ONCE && goOn(); answers += gone)
      gone = await this.kept.forget(schema, AT_ONCE);
    for (let gone = AT_ONCE; gone === AT_ONCE && goOn(); marks += gone)
      gone = await this.marks.forget(schema, new Date(Date.now() - MARKS_MS), AT_ONCE);
    return { rows, changes, answers, marks };
  }
}
