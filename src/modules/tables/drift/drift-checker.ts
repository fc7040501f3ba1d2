import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { In, MoreThan } from 'typeorm';
import type { Id } from '../../../common/index.js';
import { MainDatabase } from '../../../database/main/index.js';
import { MiniDbCatalog } from '../../../engines/index.js';
import { BaseEntity } from '../bases/base.entity.js';
import { ColumnEntity } from '../columns/column.entity.js';
import { ColumnConversionEntity, UNDER_WAY } from '../columns/convert/background/column-conversion.entity.js';
import { Retention } from '../retention.js';
import { SchemaOpEntity } from '../schema/schema-op.entity.js';
import { TableIndexEntity } from '../indexes/table-index.entity.js';
import { TableEntity } from '../tables/table.entity.js';
import { compareBase, type Finding } from './compare-base.js';
import { expectedBase, type BaseMetadata } from './expected-base.js';

export interface DriftReport {
  /** How many bases were compared. */
  readonly bases: number;
  /** Schemas of bases that changed all the time; the next check may find them at rest. */
  readonly skipped: readonly string[];
  readonly findings: readonly Finding[];
}

const PAGE = 100;
/** With growing pauses these are about three seconds: longer than a structure change takes as a rule. */
const LOOKS = 8;

/**
 * Compares the metadata with what PostgreSQL has, base by base, and changes nothing. The two databases have no common snapshot:
 * a difference counts when two looks in a row find the same one under the same metadata, with no structure change pending.
 */
@Injectable()
export class DriftChecker {
  constructor(
    private readonly main: MainDatabase,
    private readonly catalog: MiniDbCatalog,
    private readonly retention: Retention,
  ) {}

  /** @param signal ends the check early; what was found so far is returned */
  async check(signal?: AbortSignal): Promise<DriftReport> {
    const findings: Finding[] = [];
    const skipped: string[] = [];
    let bases = 0;
    for await (const { id, schemaName } of this.bases()) {
      if (signal?.aborted === true) break;
      const found = await this.settledFindings(id);
      if (found === 'busy') skipped.push(schemaName);
      else findings.push(...found);
      bases++;
    }
    return { bases, skipped, findings: [...findings, ...(await this.orphans())] };
  }

  private async *bases(): AsyncGenerator<Pick<BaseEntity, 'id' | 'schemaName'>> {
    for (let last: Id | undefined; ;) {
      const page = await this.main.snapshot((manager) =>
        manager.find(BaseEntity, {
          where: last === undefined ? {} : { id: MoreThan(last) },
          order: { id: 'ASC' },
          select: { id: true, schemaName: true },
          take: PAGE,
        }),
      );
      yield* page;
      last = page.at(-1)?.id;
      if (page.length < PAGE || last === undefined) return;
    }
  }

  private async settledFindings(baseId: Id): Promise<readonly Finding[] | 'busy'> {
    let before: string | undefined;
    for (let look = 1; look <= LOOKS; look++) {
      const metadata = await this.metadata(baseId);
      if (metadata === 'gone') return [];
      if (metadata === 'busy') before = undefined;
      else {
        const physical = await this.catalog.base(metadata.base.schemaName);
        // A purge that died half-way has dropped the schema first; the next one goes on.
        if (!physical && (await this.mayBeInPurge(metadata.base))) return [];
        const findings = compareBase(expectedBase(metadata), physical);
        const now = JSON.stringify([metadata, findings]);
        if (findings.length === 0 || now === before) return findings;
        before = now;
      }
      await pause(80 * look);
    }
    return 'busy';
  }

  /** With its workspace, too. */
  private async mayBeInPurge({ id, deletedAt }: BaseEntity): Promise<boolean> {
    if (this.retention.isDue(deletedAt)) return true;
    return this.main.snapshot((manager) =>
      manager
        .createQueryBuilder(BaseEntity, 'base')
        .innerJoin('workspaces', 'workspace', 'workspace.id = base.workspaceId')
        .where({ id })
        .andWhere('workspace.deleted_at < :limit', { limit: this.retention.restorableAfter() })
        .getExists(),
    );
  }

  private metadata(baseId: Id): Promise<BaseMetadata | 'busy' | 'gone'> {
    return this.main.snapshot(async (manager) => {
      const base = await manager.findOneBy(BaseEntity, { id: baseId });
      if (!base) return 'gone';
      if (await manager.existsBy(SchemaOpEntity, { baseId, state: 'pending' })) return 'busy';
      const tables = await manager.find(TableEntity, { where: { baseId }, order: { id: 'ASC' } });
      const columns = await manager.find(ColumnEntity, {
        where: { tableId: In(tables.map(({ id }) => id)) },
        order: { position: 'ASC', id: 'ASC' },
      });
      const indexes = await manager.findBy(TableIndexEntity, { baseId });
      const conversions = await manager.findBy(ColumnConversionEntity, { baseId, state: In(UNDER_WAY) });
      return { base, tables, columns, indexes, conversions };
    });
  }

  /** Schemas of bases that nobody knows, and of which nobody is just making a base. */
  private async orphans(): Promise<Finding[]> {
    const suspects = await this.unknown(await this.catalog.schemas());
    if (suspects.length === 0) return [];
    await pause(500);
    const still = new Set(await this.unknown(await this.catalog.schemas()));
    return suspects
      .filter((schema) => still.has(schema))
      .map((place) => ({ code: 'schema_orphan', place, detail: 'belongs to no base that the metadata knows' }));
  }

  private unknown(schemas: readonly string[]): Promise<string[]> {
    return this.main.snapshot(async (manager) => {
      const bases = await manager.find(BaseEntity, { select: { schemaName: true } });
      const pending = await manager.findBy(SchemaOpEntity, { state: 'pending' });
      const known = new Set([...bases.map((base) => base.schemaName), ...pending.map(({ payload }) => payload.schema)]);
      return schemas.filter((schema) => !known.has(schema));
    });
  }
}
