import { describe, expect, it } from '@jest/globals';
import type { OpenAPIObject } from '@nestjs/swagger';
import { describeNulls } from './describe-nulls.js';

const told = (schema: object): unknown => {
  const document = { components: { schemas: { One: { type: 'object', properties: { it: schema } } } } };
  describeNulls(document as unknown as OpenAPIObject);
  return document.components.schemas.One.properties.it;
};

const NULL = { type: 'object', nullable: true, enum: [null] };
const PART = { $ref: '#/components/schemas/Part' };

describe('null in the OpenAPI document', () => {
  it('is an alternative of its own where a schema is put together', () => {
    expect(told({ nullable: true, type: 'object', allOf: [PART], description: 'x' })).toEqual({
      oneOf: [PART, NULL],
      description: 'x',
    });
    expect(told({ nullable: true, allOf: [PART, PART] })).toEqual({ oneOf: [{ allOf: [PART, PART] }, NULL] });
    expect(told({ nullable: true, oneOf: [{ type: 'string' }, { type: 'number' }] })).toEqual({
      oneOf: [{ type: 'string' }, { type: 'number' }, NULL],
    });
    expect(told({ nullable: true, anyOf: [PART] })).toEqual({ anyOf: [PART, NULL] });
  });

  it('stays with the type where there is one, and is not made where none was said', () => {
    for (const schema of [{ type: 'string', nullable: true }, { allOf: [PART] }, PART])
      expect(told(structuredClone(schema))).toEqual(schema);
  });

  it('is found in parts of parts', () => {
    expect(told({ type: 'array', items: { nullable: true, allOf: [PART] } })).toEqual({
      type: 'array',
      items: { oneOf: [PART, NULL] },
    });
  });
});
