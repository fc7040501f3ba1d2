import { invalid, pointer, Problem } from '../../../common/index.js';
import {
  bodyOf,
  columnByKey,
  parseCell,
  refuse,
  valueType,
  type Mutation,
  type ObjectCell,
  type ObjectColumn,
  type ObjectSchema,
  type Objects,
} from '../../../query/index.js';

const OPS = ['insert', 'update', 'delete'] as const;

/** The change of one row that a body asks for. @throws Problem `validation_failed`, `not_supported_by_source` */
export function mutationAsked(input: unknown, objects: Objects): Mutation {
  const body = bodyOf(input, '', ['object', 'op', 'key', 'values', 'expected', 'version']);
  if (typeof body.object !== 'string') throw refuse('/object', 'is_string', 'The name of an object is expected.');
  const op = OPS.find((known) => known === body.op);
  if (!op) throw refuse('/op', 'is_in', `op is one of ${OPS.join(', ')}.`);
  const object = objects.find(body.object, '/object');
  const unused = op === 'insert' ? ['key', 'expected', 'version'] : op === 'delete' ? ['values'] : [];
  const misplaced = unused.find((name) => body[name] !== undefined);
  if (misplaced) throw refuse(`/${misplaced}`, 'not_expected', `${op} takes no ${misplaced}.`);
  if (op === 'insert') return { op, object, values: valuesOf(body.values, object) };
  const key = keyOf(body.key, object);
  const version = body.version === undefined ? undefined : versionOf(body.version, object);
  const expected = [
    ...(body.expected === undefined ? [] : cellsOf(body.expected, object, '/expected')),
    ...(version ? [version] : []),
  ];
  if (op === 'delete') return { op, object, key, expected };
  const values = valuesOf(body.values, object);
  if (version && values.some(({ column }) => column === version.column))
    throw refuse('/values', 'version_in_values', `${version.column.key} grows by itself; leave it out of the values.`);
  return { op, object, key, values, expected, ...(version ? { increment: version.column } : {}) };
}

function valuesOf(input: unknown, object: ObjectSchema): readonly ObjectCell[] {
  const cells = cellsOf(input, object, '/values');
  if (cells.length === 0) throw refuse('/values', 'nothing_asked', 'At least one value is expected.');
  return cells;
}

/** Exactly the columns of the key, none null. */
function keyOf(input: unknown, object: ObjectSchema): readonly ObjectCell[] {
  if (object.key.length === 0)
    throw new Problem('not_supported_by_source', {
      detail: `${object.physical.table} has no primary key, so its rows cannot be told apart to be changed.`,
    });
  const cells = cellsOf(input, object, '/key');
  const wanted = new Set<ObjectColumn>(object.key);
  const names = object.key.map(({ key }) => key).join(', ');
  if (cells.length !== wanted.size || cells.some(({ column, value }) => !wanted.has(column) || value === null))
    throw refuse('/key', 'not_the_key', `The key has a value for each of ${names}, and nothing else.`);
  return cells;
}

/** `{column, value}` of a column of whole numbers. */
function versionOf(input: unknown, object: ObjectSchema): ObjectCell {
  const { column: name, value } = bodyOf(input, '/version', ['column', 'value']);
  if (typeof name !== 'string') throw refuse('/version/column', 'is_string', 'The name of a column is expected.');
  const [cell] = cellsOf({ [name]: value }, object, '/version');
  if (cell === undefined || cell.value === null || !isWhole(cell.column))
    throw refuse('/version', 'not_a_version', 'A version is a column of whole numbers, with its value.');
  return cell;
}

const isWhole = ({ type, options }: ObjectColumn): boolean =>
  type === 'integer' || (type === 'decimal' && options.scale === 0);

/** How SQL databases keep moments to the microsecond. */
const FINE: ReadonlySet<string> = new Set(['timestamptz', 'timestamp', 'datetime']);
const SHOWN_MOMENT = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})(\d{1,3})Z$/;

/** What names a row may be all that is shown of it; moments of others go beyond the milliseconds to which people may write them. */
function parseShown(value: unknown, column: ObjectColumn): ReturnType<typeof parseCell> {
  const shown = typeof value === 'string' && FINE.has(column.form) ? SHOWN_MOMENT.exec(value) : null;
  if (!shown) return parseCell(value, column);
  const parsed = parseCell(`${shown[1]}Z`, column);
  return parsed.ok ? { ...parsed, value: shown[0] } : parsed;
}

function cellsOf(input: unknown, object: ObjectSchema, at: string): readonly ObjectCell[] {
  const values = Object.entries(bodyOf(input, at, Object.keys(input ?? {})));
  const errors: Parameters<typeof invalid>[0][number][] = [];
  const cells = values.flatMap(([name, value]): ObjectCell[] => {
    const place = at + pointer(name.slice(0, 60));
    const column = columnByKey(object, name) as ObjectColumn | undefined;
    if (!column) {
      errors.push({
        pointer: place,
        code: 'unknown_field',
        detail: `There is no field ${JSON.stringify(name.slice(0, 60))}.`,
      });
      return [];
    }
    if (value === null) return [{ column, value: null }];
    const parsed = at === '/values' ? parseCell(value, column) : parseShown(value, column);
    if (!parsed.ok) {
      errors.push({ pointer: place, code: parsed.code, detail: parsed.detail });
      return [];
    }
    return [{ column, value: parsed.value }];
  });
  if (at !== '/values')
    for (const { column } of cells)
      if (valueType(column).sortable === false)
        errors.push({
          pointer: at + pointer(column.key),
          code: 'not_comparable',
          detail: `${column.key} cannot be compared.`,
        });
  if (errors.length > 0) throw invalid(errors);
  return cells;
}
