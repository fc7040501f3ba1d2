import { describe, expect, it } from '@jest/globals';
import { Type } from 'class-transformer';
import { IsArray, IsOptional, IsString, ValidateNested } from 'class-validator';
import { validationPipe } from './validation.pipe.js';
import { excessOf } from './unknown-members.js';

class ColumnShape {
  @IsString()
  name!: string;
}
class TableShape {
  @IsString()
  name!: string;

  @IsOptional()
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => ColumnShape)
  columns?: ColumnShape[];
}

const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`${n}z`, n]));
const metadata = { type: 'body' as const, metatype: TableShape };

describe('a body with too much in it', () => {
  it('is refused before the library looks at it: unknown members, at any depth', () => {
    for (const body of [
      { name: 'x', ...many(101) },
      { name: 'x', columns: [{ name: 'a', ...many(101) }] },
      { name: 'x', columns: Array.from({ length: 51 }, () => ({ name: 'a', ...many(2) })) },
    ]) {
      const findings = excessOf(body, TableShape);
      expect(findings).toHaveLength(100);
      expect(findings.at(0)).toMatchObject({ code: 'unknown_property' });
    }
    expect(excessOf({ columns: [{ ...many(101) }] }, TableShape)[0]?.pointer).toBe('/columns/0/0z');
  });

  it('is refused for a list of thousands', () => {
    const columns = Array.from({ length: 1_001 }, () => ({}));
    expect(excessOf({ name: 'x', columns }, TableShape)).toEqual([
      expect.objectContaining({ pointer: '/columns', code: 'array_max_size' }),
    ]);
  });

  it('is left to the library where that costs little, whatever is wrong with it', () => {
    for (const body of [many(100), { name: 5, columns: {} }, { columns: [null, 1, []] }, null, [], 'x'])
      expect(excessOf(body, TableShape)).toEqual([]);
  });

  it('costs little time and a short answer, however much it is', async () => {
    const started = performance.now();
    const refusal = (await validationPipe()
      .transform({ name: 'x', ...many(200_000) }, metadata)
      .catch((error: unknown) => error)) as { errors?: unknown[] };
    expect(refusal.errors).toHaveLength(100);
    // The library alone takes more than a minute for this.
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
