import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { licensedPackages, licensesDocument } from '../../scripts/lib/licenses.mjs';
import { projectRoot } from '../../src/config/index.js';

/** Licences that ask for no more than that they are told along: whoever runs the product owes nobody its source. */
const PERMISSIVE = [
  ...['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'ISC', 'MIT', 'MIT-0', 'Python-2.0'],
];

/** Cells without the spaces that make columns of them. */
const rowsOf = (text: string): readonly string[] =>
  text.split('\n').flatMap((line) => (/^\| [a-z@]/i.test(line) ? line.replaceAll(/\s*\|\s*/g, '|') : []));

describe('the licences of what the product brings along', () => {
  it('are permissive, each of them known', () => {
    expect(licensedPackages().filter(({ license }) => !PERMISSIVE.includes(license))).toEqual([]);
    expect(licensedPackages().map(({ name }) => name)).toEqual(expect.arrayContaining(['@nestjs/core', 'pg', 'pause']));
  });

  it('are those of docs/LICENSES.md (npm run docs:licenses)', () => {
    const written = readFileSync(path.join(projectRoot, 'docs/LICENSES.md'), 'utf8');
    expect(rowsOf(written)).toEqual(rowsOf(licensesDocument()));
  });
});
