import type { Type } from '@nestjs/common';
import { TransformationType } from 'class-transformer';
import { defaultMetadataStorage } from 'class-transformer/cjs/storage.js';
import { getMetadataStorage, ValidationTypes, type ValidationArguments } from 'class-validator';

type Dto = Record<string, unknown>;

/** One member of a query string, with the rules that its decorators left. */
interface Member {
  readonly name: string;
  readonly transform: ((value: string, from: object) => unknown) | undefined;
  /** Its rules count only where all of these hold, such as that of `IsOptional`. */
  readonly conditions: readonly ((dto: object, value: unknown) => boolean)[];
  readonly holds: readonly ((value: unknown, dto: object) => boolean)[];
}

/**
 * A query string as its DTO, by the rules of the DTO's own decorators but without the machinery that looks them up for each request;
 * undefined for everything that the library has to judge: what breaks a rule, since only the library says how, and DTOs that
 * hold more than texts.
 */
export function plainQuery(query: object, dto: Type): object | undefined {
  const members = membersOf(dto);
  if (!members) return undefined;
  const made = new dto() as Dto;
  for (const [key, text] of Object.entries(query)) {
    const member = members.get(key);
    if (!member || typeof text !== 'string') return undefined;
    made[key] = member.transform ? member.transform(text, query) : text;
  }
  for (const { name, conditions, holds } of members.values()) {
    const value = made[name];
    if (conditions.every((counts) => counts(made, value)) && !holds.every((rule) => rule(value, made)))
      return undefined;
  }
  return made;
}

type Members = ReadonlyMap<string, Member>;
const known = new WeakMap<Type, { readonly members: Members | undefined }>();

function membersOf(dto: Type): Members | undefined {
  let entry = known.get(dto);
  if (!entry) known.set(dto, (entry = { members: readMembers(dto) }));
  return entry.members;
}

/** Undefined where some rule is of a kind that is not known here. */
function readMembers(dto: Type): Members | undefined {
  const type = TransformationType.PLAIN_TO_CLASS;
  const hides = defaultMetadataStorage.getExcludedProperties(dto, type).length > 0;
  if (hides || defaultMetadataStorage.getExposedProperties(dto, type).length > 0) return undefined;
  const rules: Rules = getMetadataStorage().getTargetValidationMetadatas(dto, '', false, false);
  const members = new Map<string, Member>();
  for (const name of new Set(rules.map(({ propertyName }) => propertyName))) {
    const member = readMember(
      dto,
      name,
      rules.filter(({ propertyName }) => propertyName === name),
    );
    if (!member) return undefined;
    members.set(name, member);
  }
  return members.size === 0 ? undefined : members;
}

type Rule = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>[number];
/** Less sure than its typings: a decorator of one's own leaves some of it out. */
type Rules = readonly (Pick<Rule, 'type' | 'propertyName' | 'constraintCls' | 'each' | 'validateIf'> &
  Partial<Pick<Rule, 'constraints' | 'groups'>>)[];

function readMember(dto: Type, name: string, rules: Rules): Member | undefined {
  const conditions: Member['conditions'][number][] = [];
  const holds: Member['holds'][number][] = [];
  for (const { type, constraints = [], constraintCls, each, groups = [], validateIf } of rules) {
    if (each || groups.length > 0 || validateIf) return undefined;
    if (type === ValidationTypes.CONDITIONAL_VALIDATION)
      conditions.push((constraints as Member['conditions'][number][])[0] ?? (() => true));
    else if (type === ValidationTypes.CUSTOM_VALIDATION) {
      for (const { instance, async } of getMetadataStorage().getTargetValidatorConstraints(constraintCls)) {
        if (async) return undefined;
        holds.push(
          (value, object) => instance.validate(value, argumentsOf(dto, name, constraints, value, object)) === true,
        );
      }
    } else return undefined;
  }
  const [first, ...more] = defaultMetadataStorage.findTransformMetadatas(dto, name, TransformationType.PLAIN_TO_CLASS);
  if (more.length > 0 || defaultMetadataStorage.findTypeMetadata(dto, name)) return undefined;
  const transform = first && transformBy(first.transformFn, name);
  return { name, transform, conditions, holds };
}

const transformBy =
  (transform: ReturnType<typeof defaultMetadataStorage.findTransformMetadatas>[number]['transformFn'], key: string) =>
  (value: string, obj: object): unknown =>
    transform({ value, key, obj, type: TransformationType.PLAIN_TO_CLASS, options: {} });

const argumentsOf = (
  { name: targetName }: Type,
  property: string,
  constraints: unknown[],
  value: unknown,
  object: object,
): ValidationArguments => ({ targetName, property, constraints, value, object });
