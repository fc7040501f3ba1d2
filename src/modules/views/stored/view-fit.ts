import { Injectable } from '@nestjs/common';
import { Problem } from '../../../common/index.js';
import {
  isGrouped,
  kindOf,
  parseViewDefinition,
  remembered,
  type ColumnPins,
  type ResolvedView,
  type ViewDefinition,
} from '../../../query/index.js';
import type { Reader } from '../read/reader.js';
import { ViewReader } from '../read/view-reader.service.js';
import type { ViewColumnDto, ViewProblemDto } from '../view.dto.js';
import { broken, isMisfit } from './stored-definition.js';
import type { ViewEntity } from './view.entity.js';

/** Pointer to the definition in what people send and get. */
export const AT = '/definition';

/** Whether definitions fit what they speak of, as it is now. */
@Injectable()
export class ViewFit {
  constructor(private readonly reader: ViewReader) {}

  /** Of a definition that is sent. @throws Problem as the reader does */
  check(access: Reader, definition: ViewDefinition): Promise<ResolvedView> {
    return this.reader.check(access, definition, AT);
  }

  /** Of a definition that is stored. @throws Problem `view_broken`, and what the reader throws else */
  async checkStored(access: Reader, stored: Stored): Promise<ResolvedView> {
    try {
      return await this.check(access, definitionOf(stored));
    } catch (error) {
      throw isMisfit(error) ? broken(error) : error;
    }
  }

  /** Work with a stored definition, whose misfits are not told from those of the request by what is thrown. */
  async reading<T>(access: Reader, view: ViewEntity, work: (definition: ViewDefinition) => Promise<T>): Promise<T> {
    try {
      return await work(definitionOf(view));
    } catch (error) {
      if (isMisfit(error)) await this.checkStored(access, view);
      throw error;
    }
  }

  /** What the view shows, or why it cannot be told. */
  async shown(access: Reader, view: ViewEntity): Promise<Shows> {
    try {
      const resolved = await this.checkStored(access, view);
      return isGrouped(resolved.definition) ? {} : { columns: columnsOf(resolved) };
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const { code, detail = '', errors = [] } = error.body();
      return { problem: { code, detail, errors: [...errors] } };
    }
  }
}

type Stored = Pick<ViewEntity, 'definition' | 'pins'>;

/** One object for as long as the stored one is in memory: what it comes to is kept by it. */
const parsed = remembered((definition: object) =>
  remembered((pins: object): ViewDefinition => ({ ...parseViewDefinition(definition, AT), pins: pins as ColumnPins })),
);

const definitionOf = ({ definition, pins }: Stored): ViewDefinition => parsed(definition)(pins);

interface Shows {
  readonly columns?: ViewColumnDto[];
  readonly problem?: ViewProblemDto;
}

const columnsOf = ({ shown }: ResolvedView): ViewColumnDto[] =>
  shown.columns.map((column) => {
    const { type, options, list } = kindOf(column);
    return { key: column.key, name: column.name, type, options, list };
  });
