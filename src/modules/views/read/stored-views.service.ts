import { Injectable } from '@nestjs/common';
import type { Access, AppRequest, Id, JsonText } from '../../../common/index.js';
import { whileConnected } from '../../connections/index.js';
import { ViewCatalog } from '../stored/view-catalog.js';
import { AT, ViewFit } from '../stored/view-fit.js';
import { ViewReader, type Asked, type Explained } from './view-reader.service.js';

/** Reads of views that are stored. */
@Injectable()
export class StoredViews {
  constructor(
    private readonly catalog: ViewCatalog,
    private readonly reader: ViewReader,
    private readonly fit: ViewFit,
  ) {}

  /** @throws Problem `not_found`, `view_broken`, what a question is refused with, and what the databases throw */
  async data(access: Access, id: Id, asked: () => Asked, request: AppRequest): Promise<JsonText> {
    const [view, question] = [await this.catalog.find(access, id), asked()];
    return whileConnected(request, (signal) =>
      this.fit.reading(access, view, (definition) => this.reader.data(access, definition, question, AT, signal)),
    );
  }

  /** Throws as {@link data}. */
  async explain(access: Access, id: Id, asked: () => Asked, request: AppRequest): Promise<Explained> {
    const [view, question] = [await this.catalog.find(access, id), asked()];
    return whileConnected(request, (signal) =>
      this.fit.reading(access, view, (definition) => this.reader.explain(access, definition, question, AT, signal)),
    );
  }
}
