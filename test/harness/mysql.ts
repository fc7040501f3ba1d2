import { randomBytes } from 'node:crypto';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { connectTo, mysqlServer } from './mysql-server.js';
import { afterThisFile } from './run.js';

/** A database on a MySQL or MariaDB that nobody else uses, and who may do what in it. */
export interface TestMysql {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /** Whoever may do everything inside the database, and nothing outside. */
  readonly username: string;
  readonly password: string;
  /** Statements, past the product, as somebody who may do everything. Values as the driver takes them apart by itself. */
  sql(text: string): Promise<readonly RowDataPacket[]>;
}

/** Makes one; it is dropped after the tests of this file. */
export async function mysqlDatabase(): Promise<TestMysql> {
  const server = await mysqlServer();
  const name = `t${randomBytes(6).toString('hex')}`;
  const password = 'of the tests only';
  const root = await connectTo(server);
  await root.query(`
    create database ${name} character set utf8mb4;
    create user ${name}@'%' identified by '${password}';
    grant all privileges on ${name}.* to ${name}@'%'`);
  let session: Connection | undefined;
  afterThisFile(async () => {
    await session?.end();
    await root.query(`drop database if exists ${name}; drop user if exists ${name}@'%'`);
    await root.end();
  });
  return {
    host: server.host,
    port: server.port,
    database: name,
    username: name,
    password,
    sql: async (text) => {
      session ??= await connectTo(server, name);
      const [rows] = await session.query<RowDataPacket[]>(text);
      return rows;
    },
  };
}
