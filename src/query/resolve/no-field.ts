import type { TableSchema } from '../schema.js';

/** Why no column of the table answers to the name that somebody sent: none has it, or several have. At most 60 characters of it are shown. */
export function noField({ shared }: Pick<TableSchema, 'shared'>, name: string): [code: string, detail: string] {
  const shown = JSON.stringify(name.slice(0, 60));
  return shared?.has(name)
    ? ['ambiguous_field', `Several sources have a field ${shown}; put the alias and a dot in front.`]
    : ['unknown_field', `There is no field ${shown}.`];
}
