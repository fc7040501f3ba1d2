import { spawn } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { must } from '../../src/common/index.js';
import { projectRoot } from '../../src/config/index.js';
import { afterThisFile, ownFolder, startApp } from '../harness/index.js';

/** The tour of README.md as it is written, typed into a shell (bash and curl) in an empty folder. */
async function tour(base: string): Promise<readonly string[]> {
  const readme = readFileSync(path.join(projectRoot, 'README.md'), 'utf8').replaceAll('http://localhost:3000', base);
  const section = must(/## Five minutes with curl\n(.*?)\n## /s.exec(readme)?.[1], 'the README has a tour');
  const blocks = (language: string) =>
    [...section.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'gs'))].map(([, text = '']) => text);
  const folder = ownFolder('readme');
  symlinkSync(path.join(projectRoot, 'node_modules'), path.join(folder, 'node_modules'));
  writeFileSync(path.join(folder, 'watch.mjs'), must(blocks('js')[0], 'the tour has a socket client'));
  // Job control, as in a terminal.
  writeFileSync(path.join(folder, 'tour.sh'), ['set -m', ...blocks('bash').map(patient)].join(`\necho '${BETWEEN}'\n`));
  const child = spawn('bash', ['tour.sh'], { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] });
  afterThisFile(() => child.kill());
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  await new Promise((resolve) => child.once('close', resolve));
  return out.split(BETWEEN).map((text) => text.trim());
}
/** Machines that run tests are busier than those of readers. */
const patient = (text: string) =>
  text.replace(/\bsleep (\d)/g, (_all, seconds: string) => `sleep ${Number(seconds) * 3}`);
const BETWEEN = '----- next block';

interface Answer {
  readonly data: readonly { readonly fields: Readonly<Record<string, unknown>> }[];
  readonly count?: object;
}

describe('the tour of the README, as it is written', () => {
  let parts: readonly string[] = [];
  beforeAll(async () => {
    const { base } = await startApp();
    parts = (await tour(base)).slice(1);
  }, 60_000);

  it('signs up and makes a table without a complaint', () => {
    expect(parts.slice(0, 2)).toEqual(['', '']);
  });

  it('writes rows in bulk', () => {
    expect(parts[2]).toBe('{ total: 3, ok: 3, failed: 0 }');
  });

  it('filters, sorts and pages', () => {
    const answers = (parts[3] ?? '').split(/\n(?=\{"data")/).map((text) => JSON.parse(text) as Answer);
    const names = answers.map(({ data }) => data.map(({ fields }) => fields.name));
    expect(names).toEqual([['Acme', 'Globex'], ['Initech'], ['Acme']]);
    expect(answers[0]?.count).toEqual({ mode: 'exact', value: 2, relation: 'exact' });
  });

  it('groups', () => {
    expect((JSON.parse(parts[4] ?? '') as Answer).data.length).toBeGreaterThan(0);
  });

  it('changes a row under its version once', () => {
    const [changed = '', refused] = (parts[5] ?? '').split('\n');
    expect(JSON.parse(changed)).toMatchObject({ version: 3, fields: { status: 'won' } });
    expect(refused).toBe('version_mismatch');
  });

  it('watches', () => {
    expect(parts[6]).toContain("mode: 'live'");
    expect(parts[6]).toContain('"clientId": "my-tab"');
    expect(parts[6]).toContain('"unit_price": "1300.00"');
    expect(parts).toHaveLength(7);
  });
});
