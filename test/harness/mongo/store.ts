import { BSON, ObjectId } from 'mongodb';
import { evaluateExpression } from './expressions.js';
import { calculate, exactOf, isNumber, text } from './numbers.js';
import { aggregate, matches } from './stages.js';
import { CommandError, docOf, isDoc, typeOf, type Doc } from './values.js';

/** Which document has which values. */
interface UniqueIndex {
  readonly paths: readonly string[];
  readonly owners: Map<string, Doc>;
}

interface Collection {
  docs: Doc[];
  readonly unique: UniqueIndex[];
  readonly view?: { readonly on: string; readonly pipeline: readonly Doc[] };
}

/** The collections of a database, and what is done to them. */
export class Store {
  private readonly collections = new Map<string, Collection>();

  names(): readonly { readonly name: string; readonly isView: boolean }[] {
    return [...this.collections].map(([name, { view }]) => ({ name, isView: view !== undefined }));
  }

  create(name: string, view?: Collection['view']): Collection {
    if (name.startsWith('$') || name === '') throw new CommandError(73, 'InvalidNamespace', 'Invalid collection name');
    const made: Collection = { docs: [], unique: [{ paths: ['_id'], owners: new Map() }], ...(view ? { view } : {}) };
    this.collections.set(name, made);
    return made;
  }

  drop(name: string): void {
    this.collections.delete(name);
  }

  docs(name: string): readonly Doc[] {
    const found = this.collections.get(name);
    if (!found?.view) return found?.docs ?? [];
    return this.aggregate(found.view.on, found.view.pipeline);
  }

  aggregate(name: string, pipeline: readonly Doc[]): readonly Doc[] {
    return aggregate(pipeline, this.docs(name), (other) => this.docs(other));
  }

  indexes(name: string): readonly Doc[] {
    const found = this.collections.get(name);
    if (!found) throw new CommandError(26, 'NamespaceNotFound', `ns does not exist: ${name}`);
    if (found.view) throw new CommandError(166, 'CommandNotSupportedOnView', 'Namespace is a view');
    return found.unique.map(({ paths }) => ({
      v: 2,
      key: docOf(paths.map((path) => [path, 1] as const)),
      name: paths.map((path) => `${path}_1`).join('_'),
      ...(paths[0] === '_id' ? {} : { unique: true }),
    }));
  }

  addUnique(name: string, paths: readonly string[]): void {
    const target = this.collections.get(name) ?? this.create(name);
    const owners = new Map(target.docs.map((doc) => [keyOf(doc, paths), doc]));
    target.unique.push({ paths, owners });
  }

  insert(name: string, doc: Doc): void {
    const target = this.writable(name);
    const whole = '_id' in doc ? doc : { _id: new ObjectId(), ...doc };
    replace(target, undefined, whole);
    target.docs.push(whole);
  }

  /** The first document that fits, changed; undefined where there is none. */
  update(name: string, filter: Doc, update: Doc): { readonly before: Doc; readonly after: Doc } | undefined {
    const target = this.writable(name);
    const before = target.docs.find((doc) => matches(filter, doc));
    if (!before) return undefined;
    const after = updated(before, update);
    replace(target, before, after);
    target.docs = target.docs.map((doc) => (doc === before ? after : doc));
    return { before, after };
  }

  remove(name: string, filter: Doc): Doc | undefined {
    const target = this.writable(name);
    const found = target.docs.find((doc) => matches(filter, doc));
    if (!found) return undefined;
    replace(target, found, undefined);
    target.docs = target.docs.filter((doc) => doc !== found);
    return found;
  }

  private writable(name: string): Collection {
    const found = this.collections.get(name) ?? this.create(name);
    if (found.view) throw new CommandError(166, 'CommandNotSupportedOnView', 'Namespace is a view, not a collection');
    return found;
  }
}

/** Text that two documents share when they have equal values there. */
function keyOf(doc: Doc, paths: readonly string[]): string {
  const values = paths.map((path) => evaluateExpression(`$${path}`, new Map([['ROOT', doc]])) ?? null);
  return BSON.EJSON.stringify(values.map((value) => (isNumber(value) ? { n: text(exactOf(value)) } : value)), { relaxed: false }); // prettier-ignore
}

/** One document in the place of another, in all indexes or in none. */
function replace({ unique }: Collection, before: Doc | undefined, after: Doc | undefined): void {
  for (const { paths, owners } of unique) {
    const owner = after && owners.get(keyOf(after, paths));
    if (owner && owner !== before)
      throw new CommandError(11000, 'DuplicateKey', 'E11000 duplicate key error', {
        keyPattern: docOf(paths.map((path) => [path, 1] as const)),
      });
  }
  for (const { paths, owners } of unique) {
    if (before) owners.delete(keyOf(before, paths));
    if (after) owners.set(keyOf(after, paths), after);
  }
}

function updated(doc: Doc, update: Doc): Doc {
  return Object.entries(update).reduce((result, [operator, changes]) => {
    return Object.entries(changes as Doc).reduce((each, [path, operand]) => {
      if (path === '_id') throw new CommandError(66, 'ImmutableField', "the field '_id' is immutable");
      switch (operator) {
        case '$set':
          return at(each, path.split('.'), () => operand);
        case '$unset':
          return at(each, path.split('.'), () => undefined);
        case '$inc':
          return at(each, path.split('.'), (value) => {
            if (value === undefined) return operand;
            if (!isNumber(value) || !isNumber(operand))
              throw new CommandError(14, 'TypeMismatch', `Cannot apply $inc to a value of non-numeric type`);
            return calculate('add', value, operand);
          });
        default:
          throw new CommandError(9, 'FailedToParse', `Unknown modifier: ${operator}`);
      }
    }, result);
  }, doc);
}

/** The document with another value at a path; documents on the way are made where there are none. */
function at(of: unknown, [first = '', ...rest]: readonly string[], change: (value: unknown) => unknown): Doc {
  if (of !== undefined && !isDoc(of))
    throw new CommandError(28, 'PathNotViable', `Cannot create field '${first}' in element of type ${typeOf(of)}`);
  const doc = of ?? {};
  const value = Object.hasOwn(doc, first) ? doc[first] : undefined;
  const next = rest.length === 0 ? change(value) : at(value, rest, change);
  const others = Object.entries(doc).map(([name, each]) => [name, name === first ? next : each] as const);
  const all = Object.hasOwn(doc, first) ? others : [...others, [first, next] as const];
  return docOf(all.filter(([, each]) => each !== undefined));
}
