import { Injectable } from '@nestjs/common';
import { Problem, type Access } from '../../../common/index.js';
import {
  isGrouped,
  kindOf,
  parseViewDefinition,
  remembered,
  type ColumnPins,
  type ResolvedView,
  type ViewDefinition,
} from '../../../query/index.js';
import { DEFAULT_SETTINGS, parseSettings, shownBy } from '../settings/index.js';
import type { Reader } from '../read/reader.js';
import { ViewReader } from '../read/view-reader.service.js';
import { ViewSources } from '../read/view-sources.service.js';
import type { ViewColumnDto, ViewProblemDto } from '../view.dto.js';
import { broken, brokenInPart, isMisfit } from './stored-definition.js';
import type { StoredJson, ViewEntity } from './view.entity.js';

/** Pointer to the definition in what people send and get. */
export const AT = '/definition';

/** Whether definitions fit what they speak of, as it is now. */
@Injectable()
export class ViewFit {
  constructor(
    private readonly reader: ViewReader,
    private readonly sources: ViewSources,
  ) {}

  /** Of a definition that is sent. @throws Problem as the reader does */
  check(access: Reader, definition: ViewDefinition): Promise<ResolvedView> {
    return this.reader.check(access, definition, AT);
  }

  /** Of a definition that is stored. @throws Problem `view_broken`, and what the reader throws else */
  async checkStored(access: Reader, stored: Stored): Promise<ResolvedView> {
    const definition = definitionOf(stored);
    try {
      return (await this.reader.plan(access, definition, AT)).view;
    } catch (error) {
      if (!isMisfit(error)) throw error;
      throw (await this.sources.sightOf(access, definition)) === undefined ? broken(error) : brokenInPart();
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

  /** What a reader who does not see all of the sources may be told of a definition; undefined where that is all of it. */
  async inPart(access: Access, stored: Stored & { readonly settings: StoredJson }): Promise<InPart | undefined> {
    if (!(await this.isSeenInPart(access, stored))) return undefined;
    const { definition } = stored;
    try {
      const resolved = await this.checkStored(access, stored);
      return { definition, settings: settingsShown(stored.settings, resolved, access), isBroken: false };
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return {
        definition: { source: (definition as { readonly source?: unknown }).source },
        settings: DEFAULT_SETTINGS,
        isBroken: true,
      };
    }
  }

  /** Whether rules keep the reader from part of a table that a stored definition names. */
  async isSeenInPart(reader: Reader, stored: Stored): Promise<boolean> {
    return (await this.sightOf(reader, stored)) !== undefined;
  }

  /** Names what the reader sees of the tables of a stored definition; undefined where that is all. */
  sightOf(reader: Reader, stored: Stored): Promise<string | undefined> {
    return this.sources.sightOf(reader, definitionOf(stored));
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

/** A definition and settings without what somebody does not see. */
interface InPart {
  readonly definition: StoredJson;
  readonly settings: StoredJson;
  /** Whether the view speaks of something that he does not see, so that he is told its source and nothing else. */
  readonly isBroken: boolean;
}

/** Settings are told where all that they speak of is shown. */
function settingsShown(settings: StoredJson, resolved: ResolvedView, access: Access): StoredJson {
  try {
    parseSettings(settings, '/settings', shownBy(resolved, access));
    return settings;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return DEFAULT_SETTINGS;
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
