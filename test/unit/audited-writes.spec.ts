import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { projectRoot } from '../../src/config/index.js';

const RULE = 'live-tables/audited-writes';
const LINT = `
  import { text } from 'node:stream/consumers';
  import { ESLint } from 'eslint';
  const eslint = new ESLint({ ruleFilter: ({ ruleId }) => ruleId === '${RULE}' });
  const answers = [];
  for (const { file, code } of JSON.parse(await text(process.stdin)))
    answers.push((await eslint.lintText(code, { filePath: file }))[0].messages);
  process.stdout.write(JSON.stringify(answers));
`;

/** What the project's linter says of each text, if it stood in that file: the lines that it refuses. */
function refused(...texts: readonly { readonly file: string; readonly code: string }[]): number[][] {
  const answers = JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '-e', LINT], {
      cwd: projectRoot,
      input: JSON.stringify(texts),
      encoding: 'utf8',
    }),
  ) as { readonly line: number; readonly ruleId: string | null; readonly message: string }[][];
  return answers.map((messages) => {
    expect(messages.filter(({ ruleId, message }) => ruleId !== RULE && !message.includes('eslint-disable'))).toEqual(
      [],
    );
    return [...new Set(messages.map(({ line }) => line))].sort((a, b) => a - b);
  });
}
const marked = (code: string, mark: string): number[] =>
  code.split('\n').flatMap((line, i) => (line.endsWith(mark) ? [i + 1] : []));

const CODE = `
import type { DataSource, EntityManager, Repository, TreeRepository } from 'typeorm';
import type { Actor, AuditedManager, AuditedTransaction } from '../../database/main/index.js';
import { UserEntity } from '../users/index.js';

const user = { id: 'a' };
export async function past(source: DataSource, plain: EntityManager, users: Repository<UserEntity>): Promise<void> {
  await source.transaction(() => Promise.resolve()); // refused
  const runner = source.createQueryRunner(); // refused
  await source.query('delete from users'); // refused
  await source['query']('delete from users'); // refused
  void source.driver; // refused
  const { transaction } = source; // refused
  await plain.insert(UserEntity, user); // refused
  await plain.update(UserEntity, 'a', user); // refused
  await plain.delete(UserEntity, 'a'); // refused
  await plain.save(UserEntity, user); // refused
  await plain.upsert(UserEntity, user, ['id']); // refused
  await plain.query('delete from users'); // refused
  const { insert: put } = plain; // refused
  for (const way of ['insert', 'save'] as const) void plain[way]; // refused
  await source.manager.insert(UserEntity, user); // refused
  await users.manager.save(UserEntity, user); // refused
  await users.insert(user); // refused
  await users.remove([]); // refused
  await users.increment({ id: 'a' }, 'name', 1); // refused
  await source.getRepository(UserEntity).softDelete('a'); // refused
  await users.createQueryBuilder().update().set(user).execute(); // refused
  await plain.createQueryBuilder().insert().into(UserEntity).values(user).execute(); // refused
  await source.createQueryBuilder().delete().from(UserEntity).execute(); // refused
  void [runner, transaction, put];
}

class Own extends Array<number> {}
export async function hidden<R extends Repository<UserEntity>>(one: R, two: TreeRepository<UserEntity>): Promise<void> {
  await one.insert(user); // refused
  await two.save([]); // refused
}

export async function rightly(source: DataSource, users: Repository<UserEntity>, transaction: AuditedTransaction, actor: Actor): Promise<void> {
  await source.manager.findBy(UserEntity, user);
  await users.createQueryBuilder('user').where(user).getMany();
  new Map().delete('a');
  new Own().push(1);
  await transaction.withoutAudit(() => Promise.resolve()); // left out
  await transaction.run(actor, async (manager) => {
    await manager.insert(UserEntity, user);
    await manager.createQueryBuilder().update(UserEntity).set(user).execute();
    await manager.query('select 1');
    await manager.transaction((inner) => inner.insert(UserEntity, user)); // refused
    await manager.getRepository(UserEntity).insert(user); // refused
    await inTransaction(manager);
    return { result: undefined, audit: [{ workspaceId: null, action: 'a', resource: { type: 'a', id: null, name: '' } }], events: [] };
  });
}
const inTransaction = (manager: AuditedManager) => manager.delete(UserEntity, 'a');
`;

describe('metadata', () => {
  it('is written by an audited transaction and in no other way: the linter refuses all others', () => {
    const [past, leftOut] = [marked(CODE, '// refused'), marked(CODE, '// left out')];
    expect(past.length).toBeGreaterThan(25);
    expect(leftOut).toHaveLength(1);
    expect(
      refused(
        { file: 'src/modules/workspaces/workspaces.service.ts', code: CODE },
        // One of the files that may leave out the audit, and have said why.
        { file: 'src/modules/tables/schema/schema-saga.ts', code: CODE.replaceAll("'../", "'../../") },
      ),
    ).toEqual([[...past, ...leftOut].sort((a, b) => a - b), past]);
    // The linter reads the types of the whole project.
  }, 180_000);
});
