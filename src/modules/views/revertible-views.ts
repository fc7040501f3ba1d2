import { Injectable } from '@nestjs/common';
import type { Access, Id, Revertible } from '../../common/index.js';
import { ViewLife } from './stored/view-life.service.js';
import { ViewsService } from './stored/views.service.js';

/** How changes of views are taken back. What a view asked for before is among its versions, with what its names meant then: it is restored from there. */
@Injectable()
export class RevertibleViews implements Revertible {
  readonly permission = 'views:write';

  constructor(
    private readonly views: ViewsService,
    private readonly life: ViewLife,
  ) {}

  fields(): readonly string[] {
    return ['name', 'description', 'visibility'];
  }

  update(access: Access, id: Id, fields: Readonly<Record<string, unknown>>): Promise<unknown> {
    return this.views.update(access, id, fields);
  }

  remove(access: Access, id: Id): Promise<unknown> {
    return this.views.remove(access, id);
  }

  restore(access: Access, id: Id): Promise<unknown> {
    return this.life.restore(access, id);
  }
}
