import { SECTIONS, type Setting } from './settings.js';

/** The text of `.env.example`: settings for the databases of `docker compose`, each with its sentence. */
export function envExample(): string {
  const lines = [
    '# Settings for development with `docker compose up -d`: copy this file to .env.',
    '# Without a .env file, `npm start` brings its own databases and needs none of this.',
    '# The secrets below are public: NODE_ENV=production refuses them. Made by `npm run docs:env`.',
  ];
  for (const { title, settings } of SECTIONS) {
    lines.push('', `# ---- ${title}`);
    for (const [name, { about, example }] of Object.entries(settings))
      if (example !== undefined) lines.push(`# ${about}`, `${name}=${example}`);
  }
  return `${lines.join('\n')}\n`;
}

/** The text of `docs/ENVIRONMENT.md`. */
export function environmentDocument(): string {
  const lines = [
    '# Environment variables',
    '',
    'Read once at start, from the process and from the `.env` file in the project folder (what the process was given wins; an empty',
    'value counts as absent). Anything invalid stops the start with a message that names the variable. Nothing is needed for',
    '`npm start` in development: databases and secrets are then made in `DATA_DIR`.',
    '',
    '`NODE_ENV=production` never starts embedded databases, requires the variables marked *required*, refuses secrets that are',
    'short, guessable or printed in `.env.example`, and refuses a database role that is a superuser.',
    '',
    'This page is made from `src/config/settings.ts` by `npm run docs:env`.',
  ];
  for (const { title, settings } of SECTIONS) {
    lines.push('', `## ${title}`, '', '| variable | meaning | default | in production |', '| --- | --- | --- | --- |');
    for (const [name, setting] of Object.entries(settings))
      lines.push(`| \`${name}\` | ${setting.about} | ${defaultOf(setting)} | ${production(setting)} |`);
  }
  return `${lines.join('\n')}\n`;
}

const shown = (value: string, otherwise = 'none') => (value === '' ? otherwise : `\`${value}\``);

function defaultOf({ fallback, otherwise }: Setting<unknown>): string {
  if (fallback === undefined) return otherwise ?? 'none';
  return shown(typeof fallback === 'object' ? fallback.development : fallback, otherwise);
}

function production({ fallback, otherwise, requiredInProduction, secret }: Setting<unknown>): string {
  const facts = [
    requiredInProduction ? '*required*' : '',
    secret ? 'weak values refused' : '',
    typeof fallback === 'object' ? `default ${shown(fallback.production, otherwise)}` : '',
  ].filter((fact) => fact !== '');
  return facts.join(', ');
}
