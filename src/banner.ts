import { secretsFile, type AppConfig, type PostgresSettings } from './config/index.js';

/** What a person who started the server wants to know next. Prints no password, but where it is kept. */
export function banner(address: string, config: AppConfig): string {
  const base = address.replace(/\/\/(0\.0\.0\.0|127\.0\.0\.1|\[::1?\])/, '//localhost');
  const lines = [
    ['API', `${base}/api/v1`],
    ['Swagger', `${base}/api/docs`],
    ...(config.livePage ? [['Live page', `${base}/live`]] : []),
    ['Health', `${base}/api/v1/health`],
    ['Databases', place(config.mainDb)],
    ['', place(config.miniDb)],
  ];
  if (config.embedded) lines.push(['', `password: postgres.password in ${secretsFile(config.dataDir)}`]);
  const rows = lines.map(([label = '', text = '']) => `  ${label.padEnd(11)}${text}`);
  return ['', `  Live Tables ${config.version} is ready (Ctrl-C stops it)`, '', ...rows, ''].join('\n');
}

const place = ({ username, host, port, database }: PostgresSettings) =>
  `postgresql://${username}@${host}:${port}/${database}`;
