import type { Type } from '@nestjs/common';
import { invalid } from '../errors/index.js';
import { unknownParameters } from './unknown-keys.js';
import { validationPipe } from './validation.pipe.js';

const pipe = validationPipe();

/**
 * The query string of a request as its DTO, judged as routes of the framework have it judged: for handlers that are called without its guards and pipes.
 * @throws Problem `validation_failed`
 */
export async function typedQuery<T extends object>(query: object, dto: Type<T>): Promise<T> {
  const unknown = unknownParameters(query, 'all');
  if (unknown.length > 0) throw invalid(unknown);
  return (await pipe.transform(query, { type: 'query', metatype: dto })) as T;
}
