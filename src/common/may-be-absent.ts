import { ValidateIf } from 'class-validator';

/** A property of a PATCH body that may be left out but, unlike with IsOptional, may not be null: there is nothing to clear. */
export const MayBeAbsent = (): PropertyDecorator => ValidateIf((_: object, value: unknown) => value !== undefined);
