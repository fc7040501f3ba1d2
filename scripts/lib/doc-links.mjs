import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { inRoot } from './project.mjs';

/** Markdown files of the project, relative to its root. */
const documents = () => [
  ...readdirSync(inRoot('.')).filter((name) => name.endsWith('.md')),
  ...readdirSync(inRoot('docs'), { recursive: true })
    .map((name) => path.posix.join('docs', String(name).replaceAll('\\', '/')))
    .filter((name) => name.endsWith('.md')),
];

const CODE_BLOCK = /^ *(```|~~~)[\s\S]*?^ *\1/gm;
const LINK = /\[[^\]]*\]\(([^)\s]+)\)/g;
/** A path of this project in backquotes; patterns with `*`, `<…>` or `{…}` are not looked up. */
const PATH = /`((?:src|test|scripts|docs|bench|docker)\/[\w./@-]+)`/g;
/** A test and its name, as docs/PROMISES.md cites them. */
const PROOF = /`((?:src|test)\/\S+spec\.ts)`:\s+"([^"]+)"/g;

/** What the documents point at and is not there: one sentence each. */
export function brokenLinks() {
  return documents().flatMap((file) => {
    const text = readFileSync(inRoot(file), 'utf8').replace(CODE_BLOCK, '');
    const links = [...text.matchAll(LINK)].map(([, target]) => target).filter((target) => !/^[a-z]+:/.test(target));
    const paths = [...text.matchAll(PATH)].map(([, target]) => target);
    return [
      ...links.flatMap((target) => brokenLink(file, target)),
      ...[...text.matchAll(PROOF)].flatMap(([, test, name]) => missingProof(file, test, name)),
      ...paths
        .filter((target) => !existsSync(inRoot(target)))
        .map((target) => `${file} names ${target}, which is not there.`),
    ];
  });
}

function missingProof(file, test, name) {
  if (!existsSync(inRoot(test))) return []; // told as a path
  const found = readFileSync(inRoot(test), 'utf8').replaceAll('\\', '').includes(name.replace(/\s+/g, ' '));
  return found ? [] : [`${file} cites a test "${name}" that ${test} does not have.`];
}

function brokenLink(file, target) {
  const [place, anchor] = target.split('#');
  const found = place === '' ? file : path.posix.join(path.posix.dirname(file), decodeURIComponent(place));
  if (!existsSync(inRoot(found))) return [`${file} links to ${target}, which is not there.`];
  if (anchor === undefined || !found.endsWith('.md') || anchorsOf(found).has(anchor)) return [];
  return [`${file} links to ${target}, but that file has no such heading.`];
}

/** Headings as GitHub makes anchors of them. */
function anchorsOf(file) {
  const text = readFileSync(inRoot(file), 'utf8').replace(CODE_BLOCK, '');
  return new Set(
    [...text.matchAll(/^#+ +(.+)$/gm)].map(([, title]) =>
      title
        .trim()
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}
