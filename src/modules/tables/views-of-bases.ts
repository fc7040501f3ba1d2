import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Access, Id } from '../../common/index.js';
import type { TableSchema } from '../../query/index.js';
import type { AuditedManager, AuditEntry, OutboxEvent } from '../../database/main/index.js';

/** A view as a document has it: its sources are tables of the document, by key. */
export interface PortableView {
  readonly name: string;
  readonly description: string | null;
  readonly definition: object;
  readonly settings: object;
}

/** Views that a document holds at most. */
export const MAX_VIEWS_OF_DOCUMENT = 200;

export const LEFT_OUT = ['other_sources', 'names_ids', 'broken', 'too_many'] as const;

/** What of the views of a base is not in its document. */
export interface LeftOut {
  /** Name of the view. */
  readonly view: string;
  readonly part: 'view' | 'settings';
  /**
   * `other_sources` it reads something else, too; `names_ids` it names people or rows, who are somebody else elsewhere; `broken` it speaks
   * of what is not there any more; `too_many` a document holds no more.
   */
  readonly reason: (typeof LEFT_OUT)[number];
}

/** A table of a document, made or not yet. */
export interface DocumentTable {
  readonly key: string;
  readonly schema: TableSchema;
}

/** What was written of views. */
export interface WrittenViews {
  readonly audit: readonly AuditEntry[];
  readonly events: readonly OutboxEvent[];
}

export const NO_VIEWS: WrittenViews = { audit: [], events: [] };

/** Ids of copies by those of their originals. */
export interface Wiring {
  readonly tables: ReadonlyMap<Id, Id>;
  /** Of a column that was not copied: its own. */
  readonly column: (original: Id) => Id;
}

/** What the module that keeps views does at the end of a structure change. */
export interface ViewWriter {
  /** Never fails for what others do meanwhile: the tables of the views are there. */
  write(manager: AuditedManager, planned: string): Promise<WrittenViews>;
}

/** How views go with bases: what the module that keeps them does. */
export interface ViewKeeper extends ViewWriter {
  /** The views of a workspace that read these tables, and nothing else. */
  portable(
    access: Access,
    tables: readonly DocumentTable[],
  ): Promise<{ readonly views: readonly PortableView[]; readonly leftOut: readonly LeftOut[] }>;
  /**
   * What `write` will take, of views as they stand in the document; not looked at yet.
   * @param at pointer to the list
   * @param of what a name gets behind it where a view of the workspace has it already
   * @throws Problem what a view is refused with, with pointers into the document; `limit_reached`
   */
  fromDocument(
    manager: EntityManager,
    access: Access,
    views: readonly unknown[],
    tables: readonly DocumentTable[],
    at: string,
    of: string,
  ): Promise<string>;
  /** The same of copies of the views that read the originals, and nothing else. @throws Problem `limit_reached` */
  copies(manager: EntityManager, access: Access, wiring: Wiring, of: string): Promise<string>;
}

/** Where whoever makes bases finds the keeper of views, who makes himself known when the application starts. */
@Injectable()
export class ViewsOfBases {
  private known?: ViewKeeper;

  keptBy(keeper: ViewKeeper): void {
    this.known = keeper;
  }

  get keeper(): ViewKeeper {
    if (!this.known) throw new Error('nobody keeps views');
    return this.known;
  }
}
