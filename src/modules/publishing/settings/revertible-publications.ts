import { Injectable } from '@nestjs/common';
import type { Access, Id, Revertible, WayBack } from '../../../common/index.js';
import { SETTINGS } from './describe-api.js';
import { ViewApisService } from './view-apis.service.js';

/**
 * How changes of publications are taken back: settings only. What was published is disabled, and keeps its address and its keys; what is published no longer
 * has lost them for good.
 */
@Injectable()
export class RevertiblePublications implements Revertible {
  readonly permission = 'views:publish';
  readonly ways: Readonly<Record<string, WayBack>> = {
    'view.published': { set: { enabled: false } },
    'view.publication_changed': 'update',
  };

  constructor(private readonly apis: ViewApisService) {}

  fields(): readonly string[] {
    return SETTINGS;
  }

  update(access: Access, viewId: Id, fields: Readonly<Record<string, unknown>>): Promise<unknown> {
    return this.apis.update(access, viewId, fields);
  }
}
