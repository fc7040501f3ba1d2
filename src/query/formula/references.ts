import { endOfReference, escapedName, unescapedName } from './lexer.js';

/** Columns and what lies between them; texts in quotes are left alone, whatever stands in them. */
const PARTS = /"(?:[^"\\]|\\[^])*(?:"|$)|'(?:[^'\\]|\\[^])*(?:'|$)|\{/g;

/**
 * Rewrites what stands between { and }, and nothing else, whether the rest is a formula or not: formulas are stored with ids there,
 * so that a column can take another name.
 */
export function mapReferences(text: string, rename: (name: string) => string): string {
  let [mapped, done] = ['', 0];
  PARTS.lastIndex = 0;
  for (let part = PARTS.exec(text); part; part = PARTS.exec(text)) {
    if (part[0] !== '{') continue;
    const end = endOfReference(text, part.index);
    if (end === undefined) break;
    const name = unescapedName(text.slice(part.index + 1, end - 1));
    mapped += `${text.slice(done, part.index)}{${escapedName(rename(name))}}`;
    done = PARTS.lastIndex = end;
  }
  return mapped + text.slice(done);
}

/** What stands between { and }, as it was written. */
export function referencesOf(text: string): readonly string[] {
  const names: string[] = [];
  mapReferences(text, (name) => {
    names.push(name);
    return name;
  });
  return names;
}
