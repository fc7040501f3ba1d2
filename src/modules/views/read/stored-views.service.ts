import { Injectable } from '@nestjs/common';
import type { Access, AppRequest, Id, JsonText } from '../../../common/index.js';
import type { ViewDefinition } from '../../../query/index.js';
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
  data(access: Access, id: Id, asked: () => Asked, request: AppRequest): Promise<JsonText> {
    return this.reading(access, id, asked, request, (definition, question, signal) =>
      this.reader.data(access, definition, question, AT, signal),
    );
  }

  /** Throws as {@link data}. */
  explain(access: Access, id: Id, asked: () => Asked, request: AppRequest): Promise<Explained> {
    return this.reading(access, id, asked, request, (definition, question, signal) =>
      this.reader.explain(access, definition, question, AT, signal),
    );
  }

  private async reading<T>(
    access: Access,
    id: Id,
    asked: () => Asked,
    request: AppRequest,
    read: (definition: ViewDefinition, question: Asked, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const [view, question] = [await this.catalog.find(access, id), asked()];
    return whileConnected(request, (signal) =>
      this.fit.reading(access, view, (definition) => read(definition, question, signal)),
    );
  }
}
