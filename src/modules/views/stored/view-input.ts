import { cleanName } from '../../../common/index.js';
import { bodyOf, parseViewDefinition, refuse, type ViewDefinition } from '../../../query/index.js';
import { VISIBILITIES, type StoredJson, type Visibility } from './view.entity.js';

/** A definition as it was sent, and as it was read. */
export interface GivenDefinition {
  readonly json: StoredJson;
  readonly parsed: ViewDefinition;
}

/** What a view is made with. */
export interface NewView {
  readonly name: string;
  readonly description: string | null;
  readonly visibility: Visibility;
  readonly definition: GivenDefinition;
  /** Not looked at yet: what may stand in it depends on what the view shows. */
  readonly settings: unknown;
}

/** What is to be changed of a view. */
export type ChangedView = Partial<NewView>;

const MEMBERS = ['name', 'description', 'visibility', 'definition', 'settings'];
const MAX_DESCRIPTION = 10_000;
/** Of a definition or of settings as JSON, in UTF-16 code units. */
export const MAX_JSON = 200_000;

/** @throws Problem `validation_failed`, `filter_invalid` */
export function newView(body: unknown): NewView {
  const given = bodyOf(body, '', MEMBERS);
  return {
    name: nameOf(given.name),
    description: descriptionOf(given.description ?? null),
    visibility: given.visibility === undefined ? 'workspace' : visibilityOf(given.visibility),
    definition: definitionOf(given.definition),
    settings: given.settings,
  };
}

/** What is not given stays. @throws Problem `validation_failed`, `filter_invalid` */
export function changedView(body: unknown): ChangedView {
  const { name, description, visibility, definition, settings } = bodyOf(body, '', MEMBERS);
  return {
    ...(name === undefined ? {} : { name: nameOf(name) }),
    ...(description === undefined ? {} : { description: descriptionOf(description) }),
    ...(visibility === undefined ? {} : { visibility: visibilityOf(visibility) }),
    ...(definition === undefined ? {} : { definition: definitionOf(definition) }),
    ...(settings === undefined ? {} : { settings }),
  };
}

/** @throws Problem `validation_failed` */
export function nameOf(input: unknown): string {
  const name = cleanName(input);
  if (name === undefined)
    throw refuse(
      '/name',
      'is_name',
      'name must be 1 to 255 characters, one of them visible, without control characters.',
    );
  return name;
}

function descriptionOf(input: unknown): string | null {
  if (input === null) return null;
  if (typeof input !== 'string' || !input.isWellFormed() || input.includes('\0') || input.length > MAX_DESCRIPTION)
    throw refuse(
      '/description',
      'is_text',
      `description must be a text of at most ${MAX_DESCRIPTION} characters, without NUL characters and broken ones.`,
    );
  return input;
}

function visibilityOf(input: unknown): Visibility {
  const visibility = VISIBILITIES.find((known) => known === input);
  if (!visibility) throw refuse('/visibility', 'is_in', `visibility is one of ${VISIBILITIES.join(', ')}.`);
  return visibility;
}

/** Which of the members are known is known once it is read: what is kept is the object itself. */
function definitionOf(input: unknown): GivenDefinition {
  const parsed = parseViewDefinition(input, '/definition');
  mustBeBounded(input, '/definition');
  return { json: input as StoredJson, parsed };
}

/** @throws Problem `validation_failed` */
export function mustBeBounded(input: unknown, at: string): void {
  if (JSON.stringify(input).length > MAX_JSON)
    throw refuse(at, 'too_long', `At most ${MAX_JSON.toLocaleString('en')} characters of JSON are kept.`);
}
