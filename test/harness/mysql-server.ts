import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import mysql from 'mysql2/promise';
import { must } from '../../src/common/index.js';
import { aptInstall, which } from './apt.mjs';
import { SERVER_CERTIFICATE, SERVER_KEY } from './certificates.js';
import { freePort, testRun } from './run.js';
import { waitFor } from './wait-for.js';

/** A MySQL or MariaDB that may make databases and users. */
export interface MysqlServer {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
}

const MISSING =
  'There is no MariaDB or MySQL: install one (Debian: apt-get install mariadb-server, macOS: brew install mariadb), or name one in TEST_MYSQL_URL (mysql://root:password@host:3306), and run the tests again.';

/**
 * The server of TEST_MYSQL_URL, or else one for the whole run: whichever file asks first starts it, inside the folder of the run and detached
 * from its worker, and it ends with the run (global-setup.mjs finds its process id).
 */
export async function mysqlServer(): Promise<MysqlServer> {
  const url = process.env.TEST_MYSQL_URL;
  if (url) return serverOf(new URL(url));
  const { folder } = testRun();
  const found = path.join(folder, 'mysql.json');
  if (isFirst(path.join(folder, 'mysql-asked'))) {
    const answer = await startServer(folder).catch((error: unknown) => ({ missing: String(error) }));
    writeFileSync(`${found}.draft`, JSON.stringify(answer));
    renameSync(`${found}.draft`, found);
  }
  const text = await waitFor(() => existsSync(found) && readFileSync(found, 'utf8'), 180_000);
  const answer = JSON.parse(text) as MysqlServer | { readonly missing: string };
  if ('missing' in answer) throw new Error(answer.missing);
  return answer;
}

const serverOf = ({ hostname, port, username, password }: URL): MysqlServer => ({
  host: hostname,
  port: Number(port || 3306),
  username: decodeURIComponent(username),
  password: decodeURIComponent(password),
});

/** Workers are processes of their own; making a folder succeeds for one of them. */
function isFirst(mark: string): boolean {
  try {
    mkdirSync(mark);
    return true;
  } catch {
    return false;
  }
}

async function startServer(folder: string): Promise<MysqlServer> {
  const find = () => which('mariadbd', 'mysqld');
  const program = find() ?? (aptInstall('mariadb-server') ? find() : undefined);
  if (!program) throw new Error(MISSING);
  // A server works inside its data folder: by that it is known as ours. The system's temporary folder may be closed to its user.
  const [data, scratch] = [path.join(folder, 'mysql'), path.join(folder, 'mysql-scratch')];
  mkdirSync(data);
  mkdirSync(scratch);
  const user = account();
  if (user) execFileSync('chown', ['-R', user, data, scratch]);
  const common = ['--no-defaults', `--datadir=${data}`, `--tmpdir=${scratch}`, ...(user ? [`--user=${user}`] : [])];
  makeSystemTables(program, common);
  for (const [name, text] of Object.entries({ 'cert.pem': SERVER_CERTIFICATE, 'key.pem': SERVER_KEY }))
    writeFileSync(path.join(scratch, name), text);
  const port = await freePort();
  const log = openSync(path.join(scratch, 'log'), 'a');
  const child = spawn(
    program,
    [
      ...common,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      `--socket=${path.join(scratch, 'socket')}`,
      `--ssl-cert=${path.join(scratch, 'cert.pem')}`,
      `--ssl-key=${path.join(scratch, 'key.pem')}`,
      '--skip-name-resolve',
      '--local-infile=ON', // so that it is we who refuse
      '--max-connections=200',
      // Nothing here has to survive a power cut.
      '--innodb-flush-log-at-trx-commit=0',
      '--sync-binlog=0',
    ],
    { cwd: data, detached: true, stdio: ['ignore', log, log] },
  );
  writeFileSync(path.join(data, 'pid'), String(must(child.pid, 'the program is there')));
  child.unref();
  const server = { host: '127.0.0.1', port, username: 'root', password: '' };
  await waitFor(async () => {
    await (await connectTo(server)).end();
    return true;
  }, 60_000);
  return server;
}

/** MariaDB and MySQL do not run as root: the user that Debian's package makes, or one that is always there. */
function account(): string | undefined {
  if (process.getuid?.() !== 0) return undefined;
  try {
    execFileSync('id', ['mysql'], { stdio: 'ignore' });
    return 'mysql';
  } catch {
    return 'nobody';
  }
}

function makeSystemTables(program: string, common: readonly string[]): void {
  const isMariaDb = execFileSync(program, ['--version'], { encoding: 'utf8' }).includes('MariaDB');
  if (!isMariaDb) return void execFileSync(program, [...common, '--initialize-insecure'], { stdio: 'pipe' });
  const install = must(which('mariadb-install-db', 'mysql_install_db'), 'it comes with the server');
  const options = ['--auth-root-authentication-method=normal', '--skip-test-db', '--skip-name-resolve'];
  execFileSync(install, [...common, ...options], { stdio: 'pipe' });
}

/** A session as somebody who may do everything; statements may be several. */
export const connectTo = (
  { host, port, username, password }: MysqlServer,
  database?: string,
): Promise<mysql.Connection> =>
  mysql.createConnection({
    host,
    port,
    user: username,
    password,
    ...(database === undefined ? {} : { database }),
    charset: 'utf8mb4',
    multipleStatements: true,
    connectTimeout: 5_000,
  });
