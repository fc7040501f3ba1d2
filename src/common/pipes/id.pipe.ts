import { Injectable, type ArgumentMetadata, type PipeTransform } from '@nestjs/common';
import { notFound } from '../errors/index.js';
import { isId, type Id } from '../ids.js';

/** An id in a path: anything that is not an id of ours names nothing, so it is a 404 and not a 422. */
@Injectable()
export class IdPipe implements PipeTransform<string, Id> {
  transform(value: string, { data }: ArgumentMetadata): Id {
    if (!isId(value)) throw notFound(data?.replace(/Id$/, '') ?? 'resource');
    return value;
  }
}
