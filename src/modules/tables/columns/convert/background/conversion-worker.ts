import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { DataSource, In, LessThanOrEqual } from 'typeorm';
import { Problem } from '../../../../../common/index.js';
import { faultPoint } from '../../../../../config/index.js';
import { MainDatabase } from '../../../../../database/main/index.js';
import { EventBus } from '../../../../events/index.js';
import { BaseEntity } from '../../../bases/base.entity.js';
import { TableEntity } from '../../../tables/table.entity.js';
import { ColumnConversionEntity, UNDER_WAY } from './column-conversion.entity.js';
import { ConversionMovedOn, ConversionWork } from './conversion-work.js';

const SWEEP_EVERY_MS = 5_000;
/** So long one conversion is worked at before others have their turn. */
const TURN_MS = 10_000;
const MAX_ATTEMPTS = 20;
/** For about a minute a table may just be in use; later the log says what a conversion waits for. */
const PATIENT_ATTEMPTS = 5;
/** Seconds until the next try: 2, 4, 8 … up to a minute. */
const waitAfter = (attempts: number): number => Math.min(2 ** (attempts + 1), 60);

/**
 * Does the conversions of large tables, apart from any request, in turns. Several nodes share the work; what one leaves behind when
 * it dies, another goes on with where it was.
 */
@Injectable()
export class ConversionWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Conversions');
  private timer: NodeJS.Timeout | undefined;
  private stopListening: (() => void) | undefined;
  private working: Promise<void> | undefined;
  private woken = false;
  private readonly stop = new AbortController();

  constructor(
    private readonly dataSource: DataSource,
    private readonly database: MainDatabase,
    private readonly steps: ConversionWork,
    private readonly bus: EventBus,
  ) {}

  onApplicationBootstrap(): void {
    this.stopListening = this.bus.on('conversion.changed', () => void this.work());
    this.timer = setInterval(() => void this.work(), SWEEP_EVERY_MS);
    this.timer.unref();
    void this.work();
  }

  /** Ends after the rows that are just being filled. */
  async onModuleDestroy(): Promise<void> {
    this.stop.abort();
    clearInterval(this.timer);
    this.stopListening?.();
    await this.working;
  }

  /** Does what is due, and settles when there is nothing left that this node could do. */
  work(): Promise<void> {
    this.woken = true;
    return (this.working ??= this.workAll().finally(() => (this.working = undefined)));
  }

  private async workAll(): Promise<void> {
    try {
      while (this.woken && !this.stop.signal.aborted) {
        this.woken = false;
        for (const { id } of await this.due()) {
          // Another node may be at it.
          const ended = await this.database.alone(lockOf(id), () => this.turn(id));
          if (ended === false) this.woken = true;
        }
      }
    } catch (error) {
      // A database is away; health says so, and the next sweep tries again.
      this.logger.debug({ msg: 'Conversions cannot be looked at', err: error });
    }
  }

  /** One whose table or base is in the trash rests, and goes on when that is restored; what is to be taken back need not wait for a table. */
  private due(): Promise<Pick<ColumnConversionEntity, 'id'>[]> {
    return this.dataSource.manager
      .createQueryBuilder(ColumnConversionEntity, 'conversion')
      .innerJoin(BaseEntity, 'base', 'base.id = conversion.baseId and base.deletedAt is null')
      .innerJoin(TableEntity, 'own', 'own.id = conversion.tableId')
      .where({ state: In(UNDER_WAY), nextAt: LessThanOrEqual(new Date()) })
      .andWhere("(own.deletedAt is null or conversion.state = 'stopping')")
      .orderBy('conversion.nextAt')
      .getMany();
  }

  /** @returns whether there is nothing more to do at it for now */
  private async turn(id: string): Promise<boolean> {
    const conversion = await this.dataSource.manager.findOneBy(ColumnConversionEntity, { id, state: In(UNDER_WAY) });
    if (!conversion || this.stop.signal.aborted) return true;
    await faultPoint('conversion.turn');
    try {
      if (conversion.state === 'stopping') {
        await this.steps.takeBack(conversion);
        return true;
      }
      const until = Date.now() + TURN_MS;
      const filled = await this.steps.fill(conversion, () => !this.stop.signal.aborted && Date.now() < until);
      if (filled) {
        await faultPoint('conversion.exchange');
        await this.steps.exchange(conversion);
      }
      return filled;
    } catch (error) {
      return this.settle(conversion, error);
    }
  }

  private async settle(conversion: ColumnConversionEntity, error: unknown): Promise<boolean> {
    if (error instanceof ConversionMovedOn) return false;
    const isRefusal = error instanceof Problem;
    // A table that is only in use will be free some day.
    const inUse = isRefusal && error.code === 'schema_busy';
    if (isRefusal && error.code === 'not_found') {
      // Its table or base went into the trash just now, with all that is filled; that waits for them.
      if (!(await this.steps.hasNoColumn(conversion))) return true;
      await this.steps.stop(conversion, { code: 'not_found', detail: 'The column went to the trash meanwhile.' });
      return false;
    }
    if (conversion.state === 'converting' && isRefusal && !inUse) {
      const { code, detail, errors } = error;
      await this.steps.stop(conversion, { code, detail: detail ?? error.message, ...(errors ? { errors } : {}) });
      return false;
    }
    const attempts = conversion.attempts + 1;
    const level = inUse && attempts <= PATIENT_ATTEMPTS ? 'debug' : 'warn';
    this.logger[level]({ msg: 'A conversion does not go on', conversion: conversion.id, attempts, err: error });
    if (conversion.state === 'converting' && attempts >= MAX_ATTEMPTS && !inUse)
      await this.steps.stop(conversion, { code: 'gave_up', detail: 'It failed again and again; the log says why.' });
    else await this.steps.postpone(conversion, waitAfter(conversion.attempts));
    return true;
  }
}

/** 48 bits of the id that are random. */
const lockOf = (id: string): number => Number.parseInt(id.slice(-12), 16);
