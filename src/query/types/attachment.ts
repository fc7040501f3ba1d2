import { ident, sql } from '../sql.js';
import { accepted, isRecord, refused, type ColumnType, type Parsed } from './column-type.js';
import { ID_VALUE } from './id.js';
import { knownOptions } from './options.js';

/** A file by id, or as the object that it is shown as. */
function parse(input: unknown): Parsed {
  const file = ID_VALUE.parse(isRecord(input) ? input.id : input);
  return file.ok
    ? file
    : refused('not_an_attachment', 'The id of an uploaded file, or an object with it, is expected.');
}

export const attachment: ColumnType = {
  ...ID_VALUE,
  name: 'attachment',
  summary:
    'Files that were uploaded to any table of the base: a list of `{id, name, size, mimeType}`; ids are enough on input.',
  cells: () => ({ type: 'attachment', list: true }),
  operators: [],
  sortable: false,
  uniquable: false,
  parseOptions: (input) => knownOptions(input, []) ?? accepted({}),
  parse,
  parseText: parse,
  logged: {
    as: sql`jsonb`,
    read: (cell) =>
      sql`array(select (e->>'id')::uuid from jsonb_array_elements(coalesce(${cell}, '[]')) with ordinality files(e, n) order by n)`,
  },
  // The name and the size of a file are where the file is.
  said: undefined,
  toJson: (cell, { schema }) =>
    sql`(select json_build_object('id', f.id, 'name', f.name, 'size', f.size, 'mimeType', f.mime_type)::text from ${ident(schema, '_file')} f where f.id = ${cell})`,
  jsonSchema: {
    type: 'object',
    properties: {
      id: { type: 'string' },
      name: { type: 'string' },
      size: { type: 'integer' },
      mimeType: { type: 'string' },
    },
  },
};
