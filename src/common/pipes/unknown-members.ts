import type { Type } from '@nestjs/common';
import { defaultMetadataStorage } from 'class-transformer/cjs/storage.js';
import { getMetadataStorage } from 'class-validator';
import type { ProblemItem } from '../errors/index.js';
import { pointer } from './pointer.js';

/** Findings of one answer: enough to mend a body, and no more to read than was worth sending. */
export const MAX_FINDINGS = 100;
/** Elements of a list of DTOs; every list has a smaller limit of its own, which is looked at only after all elements were. */
const MAX_ELEMENTS = 1_000;

type Path = readonly (string | number)[];

/**
 * What makes the validation of a body costlier than the body is worth: more than {@link MAX_FINDINGS} members that its DTO does
 * not know (the library searches all findings for each of them), or a list of thousands of DTOs. Empty for everything else,
 * whatever else is wrong with it.
 */
export function excessOf(body: unknown, dto: Type): ProblemItem[] {
  const findings: ProblemItem[] = [];
  const tooLong = walk(body, dto, [], findings);
  if (tooLong) return [tooLong];
  return findings.length > MAX_FINDINGS ? findings.slice(0, MAX_FINDINGS) : [];
}

/** Adds the unknown members below `value`, and stops when there are too many; hands back a list that is too long. */
function walk(value: unknown, dto: Type, path: Path, findings: ProblemItem[]): ProblemItem | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value)) return walkList(value, dto, path, findings);
  const known = membersOf(dto);
  for (const [key, member] of Object.entries(value)) {
    if (findings.length > MAX_FINDINGS) return undefined;
    if (!known.has(key)) {
      const detail = `Property ${key.slice(0, 64)} is not known here.`;
      findings.push({ pointer: pointer(...path, key.slice(0, 64)), code: 'unknown_property', detail });
      continue;
    }
    const inner = known.get(key);
    const tooLong = inner && walk(member, inner, [...path, key], findings);
    if (tooLong) return tooLong;
  }
  return undefined;
}

function walkList(list: readonly unknown[], dto: Type, path: Path, findings: ProblemItem[]): ProblemItem | undefined {
  if (list.length > MAX_ELEMENTS) {
    const detail = `A list here has at most ${MAX_ELEMENTS} elements.`;
    return { pointer: pointer(...path), code: 'array_max_size', detail };
  }
  for (const [index, item] of list.entries()) {
    const tooLong = walk(item, dto, [...path, index], findings);
    if (tooLong) return tooLong;
  }
  return undefined;
}

const known = new WeakMap<Type, ReadonlyMap<string, Type | undefined>>();

/** The members of a DTO, each with the DTO that it holds, if any. */
function membersOf(dto: Type): ReadonlyMap<string, Type | undefined> {
  let members = known.get(dto);
  if (!members) {
    const rules = getMetadataStorage().getTargetValidationMetadatas(dto, '', true, false);
    const typeOf = (name: string) =>
      defaultMetadataStorage.findTypeMetadata(dto, name)?.typeFunction() as Type | undefined;
    members = new Map(rules.map(({ propertyName }) => [propertyName, typeOf(propertyName)]));
    known.set(dto, members);
  }
  return members;
}
