import { describe, expect, it } from '@jest/globals';
import type { Type } from '@nestjs/common';
import { Type as TypeOf } from 'class-transformer';
import { IsArray, IsIn, IsOptional, IsString, MaxLength, registerDecorator, ValidateNested } from 'class-validator';
import fc from 'fast-check';
import { fuzz } from '../../../test/query/index.js';
import { PageQuery } from '../paging.dto.js';
import { plainQuery } from './plain-query.js';
import { validationPipe } from './validation.pipe.js';

/** A rule that is none of the library's own. */
function IsShort(): PropertyDecorator {
  return (target, propertyName) => {
    registerDecorator({
      name: 'isShort',
      target: target.constructor,
      propertyName: String(propertyName),
      validator: { validate: (value: unknown) => typeof value === 'string' && value.length < 4 },
    });
  };
}

class ListQuery extends PageQuery {
  @IsOptional()
  @IsString()
  @MaxLength(4)
  search?: string;

  @IsIn(['a', 'b'])
  mode!: string;

  @IsOptional()
  @IsShort()
  own?: string;
}

class Inner {
  @IsString()
  name!: string;
}
class NestedQuery {
  @IsArray()
  @ValidateNested({ each: true })
  @TypeOf(() => Inner)
  items!: Inner[];
}

/** By the library alone: a query string is to it what a body is. */
const byLibrary = (value: object, metatype: Type): Promise<unknown> =>
  validationPipe()
    .transform(value, { type: 'body', metatype })
    .catch(() => undefined);

describe('a query string', () => {
  it('is taken exactly where the library takes it, and becomes the same', async () => {
    const text = fc.oneof(
      fc.constantFrom('a', 'b', '1', '0', '-1', '1001', '1.5', '', 'abcde', '\u{1F600}\u{1F600}', 'null'),
      fc.string({ maxLength: 6 }),
      fc.array(fc.constantFrom('a', '1'), { maxLength: 2 }),
    );
    const key = fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom('limit', 'cursor', 'search', 'mode', 'own') },
      { weight: 1, arbitrary: fc.constantFrom('constructor', 'toString', 'other') },
    );
    await fc.assert(
      fc.asyncProperty(fc.dictionary(key, text), async (query) => {
        const quick = plainQuery({ ...query }, ListQuery);
        const slow = await byLibrary({ ...query }, ListQuery);
        expect(quick).toEqual(slow);
        if (quick) expect(quick).toBeInstanceOf(ListQuery);
      }),
      fuzz(500),
    );
    expect(plainQuery({ mode: 'a', limit: '5000' }, ListQuery)).toEqual({ mode: 'a', limit: 1000 });
  });

  it('of more than texts is left to the library', () => {
    expect(plainQuery({ items: 'x' }, NestedQuery)).toBeUndefined();
    expect(plainQuery({}, Object)).toBeUndefined();
  });
});
