import { createParamDecorator, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { must, type AppReply, type AppRequest } from '../../../common/index.js';
import { Admission } from './admission.js';
import type { Visit } from './publication.js';

const visits = new WeakMap<AppRequest, Visit>();

/** What the guard found out. */
export const CurrentVisit = createParamDecorator((_: unknown, context: ExecutionContext): Visit =>
  must(visits.get(context.switchToHttp().getRequest<AppRequest>()), 'the guard of publications ran before the handler'),
);

/** {@link Admission} for routes that are handled by the framework. */
@Injectable()
export class PublicationGuard implements CanActivate {
  constructor(private readonly admission: Admission) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const [request, reply] = [http.getRequest<AppRequest>(), http.getResponse<AppReply>()];
    // A browser asks before it sends the key: what it is told is the same for everybody.
    if (request.method === 'OPTIONS') await this.admission.find(request, reply);
    else visits.set(request, await this.admission.admit(request, reply));
    return true;
  }
}
