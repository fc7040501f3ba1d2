/** What the cells of all types but `json` hold, for the OpenAPI document. Null is the empty cell. */
export const CELL_SCHEMA = {
  nullable: true,
  oneOf: [{ type: 'string' }, { type: 'number' }, { type: 'boolean' }, { type: 'array', items: {} }],
};

/** Whatever a cell can hold, also one of `json`, for the OpenAPI document. */
export const ANY_CELL_SCHEMA = {
  nullable: true,
  oneOf: [...CELL_SCHEMA.oneOf, { type: 'object', additionalProperties: true }],
};
