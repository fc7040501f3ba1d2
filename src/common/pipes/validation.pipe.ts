import { ValidationPipe, type ArgumentMetadata } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import { invalid, type ProblemItem } from '../errors/index.js';
import { plainQuery } from './plain-query.js';
import { pointer } from './pointer.js';
import { excessOf, MAX_FINDINGS } from './unknown-members.js';

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => '_' + letter.toLowerCase());

function items(errors: readonly ValidationError[], path: readonly string[]): ProblemItem[] {
  return errors.flatMap((error) => {
    const here = [...path, error.property];
    const own = Object.entries(error.constraints ?? {}).map(([rule, text]) => ({
      pointer: pointer(...here),
      code: rule === 'whitelistValidation' ? 'unknown_property' : snake(rule),
      detail: rule === 'whitelistValidation' ? `Property ${error.property} is not known here.` : text,
    }));
    return [...own, ...items(error.children ?? [], here)];
  });
}

/** class-transformer drops what every object inherits, such as `constructor`, at any depth and before a validator sees it. */
function inherited(value: unknown, path: readonly (string | number)[]): ProblemItem[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item, i) => inherited(item, [...path, i]));
  return Object.entries(value).flatMap(([key, member]) =>
    key in Object.prototype
      ? [{ pointer: pointer(...path, key), code: 'unknown_property', detail: `Property ${key} is not known here.` }]
      : inherited(member, [...path, key]),
  );
}

class StrictPipe extends ValidationPipe {
  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    const { metatype } = metadata;
    // Parts of paths are texts, which pipes of their own read: made a number here, `1e0` and `01` would be 1.
    if (metadata.type === 'param') return value;
    if (metadata.type === 'query' && metatype !== undefined && typeof value === 'object' && value !== null) {
      const query = plainQuery(value, metatype);
      if (query) return query;
    }
    if (metadata.type === 'body' && metatype !== undefined && metatype !== Object) {
      const excess = excessOf(value, metatype);
      if (excess.length > 0) throw invalid(excess);
      const unknown = inherited(value, []);
      if (unknown.length > 0) throw invalid(unknown.slice(0, MAX_FINDINGS));
    }
    return (await super.transform(value, metadata)) as unknown;
  }
}

/** Bodies and query strings become typed DTOs; an unknown property is refused (422), never ignored. */
export const validationPipe = (): ValidationPipe =>
  new StrictPipe({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    stopAtFirstError: true,
    validationError: { target: false, value: false },
    exceptionFactory: (errors) => invalid(items(errors, []).slice(0, MAX_FINDINGS)),
  });
