import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { ValidateBy } from 'class-validator';
import { CELL_SCHEMA } from '../../../common/index.js';

const MAX_ATTRIBUTES = 50;
const MAX_VALUES = 100;
const MAX_TEXT = 1_000;
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;

const isScalar = (value: unknown): boolean =>
  typeof value === 'boolean' ||
  (typeof value === 'number' && Number.isFinite(value)) ||
  (typeof value === 'string' && value.length <= MAX_TEXT && value.isWellFormed() && !value.includes('\0'));

function areAttributes(input: unknown): boolean {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return false;
  const entries = Object.entries(input);
  return (
    entries.length <= MAX_ATTRIBUTES &&
    entries.every(
      ([name, value]) =>
        NAME.test(name) &&
        (Array.isArray(value) ? value.length <= MAX_VALUES && value.every(isScalar) : isScalar(value)),
    )
  );
}

/** What is known of a member by name: texts, numbers, booleans, or lists of these. Refused (`is_attributes`) when it is anything else. */
export const IsAttributes = (): PropertyDecorator =>
  applyDecorators(
    ValidateBy({
      name: 'isAttributes',
      validator: {
        validate: areAttributes,
        defaultMessage: () =>
          `attributes has at most ${MAX_ATTRIBUTES} names of letters, digits and _ with texts, numbers, booleans, or lists of up to ${MAX_VALUES} of these.`,
      },
    }),
    ApiPropertyOptional({
      type: 'object',
      additionalProperties: { oneOf: CELL_SCHEMA.oneOf },
      description:
        'What rules of tables may ask of a member, as `{"$attr":"region"}`. All of them: what is left out is gone.',
      example: { region: 'emea' },
    }),
  );
