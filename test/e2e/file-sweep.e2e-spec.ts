import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { must, newId, type Id } from '../../src/common/index.js';
import { MiniDbFiles } from '../../src/engines/index.js';
import { FilesPurge, FilesService } from '../../src/modules/files/index.js';
import { FileSweeper } from '../../src/modules/files/file-sweeper.js';
import { FILE_STORAGE, storageKey, type FileStorage } from '../../src/modules/files/storage/index.js';
import { WorkspacePurge } from '../../src/modules/workspaces/index.js';
import {
  databases,
  expectStatus,
  ownFolder,
  sql,
  startApp,
  startNode,
  waitFor,
  world,
  type Table,
  type TestApp,
  type TestDatabases,
  type World,
} from '../harness/index.js';
import { form, type Attachment } from '../support/attachments.js';

let pair: TestDatabases;
let server: TestApp;
let home: World;
let schema: string;
beforeEach(async () => {
  pair = await databases();
  server = await startApp({ databases: pair });
  home = await world(server.base);
  schema = home.table.physical.schema;
});

const upload = async (): Promise<Attachment> => {
  const path = `/tables/${home.table.id}/attachments`;
  const { data } = expectStatus(await home.owner.post<{ data: Attachment[] }>(path, form('some bytes')), 201);
  return must(data[0], 'a file');
};
const isThere = async ({ id }: { readonly id: string }): Promise<boolean> =>
  (await home.owner.get(`/tables/${home.table.id}/attachments/${id}`)).status === 200;
const objects = (of = schema): string[] => {
  const folder = path.join(server.config.files.directory, of);
  return existsSync(folder) ? readdirSync(folder).sort() : [];
};
const records = async (of = schema): Promise<string[]> =>
  (await sql<{ id: string }>(pair.mini, `select id from "${of}"._file order by id`)).map(({ id }) => id);
const sweep = (): Promise<void> => server.app.get(FileSweeper).sweepBase(schema);
/** So many hours later, as far as the files can tell. */
const later = (hours: number) =>
  sql(
    pair.mini,
    `update "${schema}"._file set created_at = created_at - make_interval(hours => $1), unreferenced_since = unreferenced_since - make_interval(hours => $1)`,
    [hours],
  );

/** A column that holds files, of the kind that is deleted already, and a row in which it holds these. */
async function holder(table: Pick<Table, 'id' | 'physical'>, ids: readonly string[]): Promise<void> {
  const place = `"${table.physical.schema}"."${table.physical.table}"`;
  await sql(pair.mini, `alter table ${place} add column "_old_papers_1" uuid[]`);
  await sql(
    pair.main,
    `insert into columns (id, table_id, key, name, name_folded, type, position, physical_name, created_at, deleted_at)
     values ($1, $2, 'papers', 'Papers', 'papers', 'attachment', 9, '_old_papers_1', now(), now())`,
    [newId(), table.id],
  );
  await sql(
    pair.mini,
    `insert into ${place} (_id, _version, _created_at, _updated_at, name, "_old_papers_1") values ($1, 1, now(), now(), 'x', $2)`,
    [newId(), ids],
  );
}

describe('a file that no row holds', () => {
  it('stays for a day after its upload, then nothing of it is left', async () => {
    const file = await upload();
    await later(23);
    await sweep();
    expect([await isThere(file), objects()]).toEqual([true, [file.id]]);
    await later(2);
    await sweep();
    expect([await isThere(file), objects(), await records()]).toEqual([false, [], []]);
  });

  it('stays for a day after the last row let go of it', async () => {
    const file = await upload();
    await holder(home.table, [file.id]);
    await sweep();
    await later(100);
    await sweep();
    await sql(pair.mini, `update "${schema}"."${home.table.physical.table}" set "_old_papers_1" = null`);
    await sweep();
    await later(23);
    await sweep();
    expect(await isThere(file)).toBe(true);
    await later(2);
    await sweep();
    expect([await isThere(file), objects()]).toEqual([false, []]);
  });
});

describe('a file that a row holds', () => {
  it('stays, also while the row, its column or its table is in the trash', async () => {
    const [file, loose] = [await upload(), await upload()];
    await holder(home.table, [loose.id, file.id]);
    await sql(pair.mini, `update "${schema}"."${home.table.physical.table}" set _deleted_at = now()`);
    expectStatus(await home.owner.del(`/tables/${home.table.id}`), 204);
    await later(25);
    await sweep();
    await later(25);
    await sweep();
    expect(await records()).toEqual([file.id, loose.id].sort());
    expect(objects()).toEqual([file.id, loose.id].sort());
  });

  it('stays from the question on whether it is there, however long nobody held it', async () => {
    const file = await upload();
    const stranger = newId();
    await later(25);
    expect(await server.app.get(MiniDbFiles).known(schema, [file.id, stranger])).toEqual(new Set([file.id]));
    await sweep();
    expect(await isThere(file)).toBe(true);
    await later(25);
    await sweep();
    expect(await server.app.get(MiniDbFiles).known(schema, [file.id])).toEqual(new Set());
  });

  it('stays when the structure is ahead of its metadata: the sweep gives up instead of guessing', async () => {
    const file = await upload();
    await holder(home.table, [file.id]);
    await sweep();
    await later(100);
    await sql(
      pair.mini,
      `alter table "${schema}"."${home.table.physical.table}" rename column "_old_papers_1" to "_old_papers_2"`,
    );
    await expect(sweep()).rejects.toThrow();
    expect(await isThere(file)).toBe(true);
  });
});

describe('a process that dies', () => {
  const place = (id: Id): string => path.join(server.config.files.directory, storageKey(schema, id));
  const announced = async (): Promise<Id> => {
    const id = newId();
    const file = { id, tableId: home.table.id, name: 'x', mimeType: 'text/plain', createdBy: null };
    await server.app.get(MiniDbFiles).announce(schema, { ...file, storageKey: storageKey(schema, id) });
    return id;
  };

  it.each([
    ['before the first byte', () => undefined],
    ['while bytes come', (id: Id) => writeFileSync(`${place(id)}.part`, 'half')],
    ['after the last byte', (id: Id) => writeFileSync(place(id), 'whole')],
  ])(
    'in an upload, %s, leaves what is removed a day later, and what nobody can see until then',
    async (_when, leave) => {
      const other = await upload();
      const id = await announced();
      leave(id);
      expect(await isThere({ id })).toBe(false);
      await sweep();
      expect(await records()).toContain(id);
      await later(12);
      await server.app.get(MiniDbFiles).known(schema, [other.id]);
      await later(13);
      await sweep();
      expect([objects(), await records()]).toEqual([[other.id], [other.id]]);
    },
  );

  it.each([
    ['before the bytes go', false],
    ['between the bytes and their record', true],
  ])('in a removal, %s, is followed by the next sweep', async (_when, bytesGone) => {
    const file = await upload();
    await server.app.get(MiniDbFiles).giveUp(schema, [file]);
    if (bytesGone) await server.app.get<FileStorage>(FILE_STORAGE).remove(storageKey(schema, file.id));
    expect(await isThere(file)).toBe(false);
    await sweep();
    expect([objects(), await records()]).toEqual([[], []]);
  });

  it('by kill -9 in the middle of an upload leaves nothing that stays', async () => {
    const directory = ownFolder('files');
    const node = await startNode({ databases: pair, env: { FILES_DIR: directory } });
    const { hostname, port } = new URL(node.base);
    const socket = net.connect(Number(port), hostname);
    socket.on('error', () => undefined);
    socket.write(
      `POST /api/v1/tables/${home.table.id}/attachments HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${home.owner.accessToken}\r\n` +
        'content-type: multipart/form-data; boundary=b\r\ncontent-length: 1000000\r\n\r\n' +
        '--b\r\ncontent-disposition: form-data; name="file"; filename="half.bin"\r\n\r\n',
    );
    socket.write(Buffer.alloc(200_000));
    const folder = path.join(directory, schema);
    await waitFor(() => existsSync(folder) && readdirSync(folder).length > 0);
    await node.kill9();
    expect(readdirSync(folder)).toHaveLength(1);
    const after = await startApp({ databases: pair, env: { FILES_DIR: directory } });
    await later(25);
    await after.app.get(FileSweeper).sweepBase(schema);
    expect([readdirSync(folder), await records()]).toEqual([[], []]);
  });

  it('twice over does no harm: sweeps at once on two nodes remove each file once', async () => {
    const second = await startApp({ databases: pair, env: { FILES_DIR: server.config.files.directory } });
    const files = await Promise.all(Array.from({ length: 10 }, upload));
    await later(25);
    await Promise.all([sweep(), second.app.get(FileSweeper).sweepBase(schema), sweep()]);
    expect([objects(), await records()]).toEqual([[], []]);
    for (const file of files) expect(await isThere(file)).toBe(false);
  });
});

describe('a storage that does not remove', () => {
  it('is asked again by the next sweep, and others get their turn', async () => {
    const [stuck, fine] = [await upload(), await upload()];
    const storage = server.app.get<FileStorage>(FILE_STORAGE);
    const remove = storage.remove.bind(storage);
    storage.remove = (key) => (key.endsWith(stuck.id) ? Promise.reject(new Error('not now')) : remove(key));
    await later(25);
    await expect(sweep()).rejects.toThrow('not now');
    expect([objects(), await records()]).toEqual([[stuck.id], [stuck.id]]);
    expect([await isThere(stuck), await isThere(fine)]).toEqual([false, false]);
    storage.remove = remove;
    await sweep();
    expect([objects(), await records()]).toEqual([[], []]);
  });
});

describe('the round over all bases', () => {
  it('sweeps each once in a while, whichever node makes it', async () => {
    const second = await startApp({ databases: pair, env: { FILES_DIR: server.config.files.directory } });
    const first = await upload();
    await later(25);
    await server.app.get(FileSweeper).sweep();
    expect(await isThere(first)).toBe(false);
    const next = await upload();
    await later(25);
    await second.app.get(FileSweeper).sweep();
    expect(await isThere(next)).toBe(true);
    await sql(pair.mini, `update _live_tables_file_sweeps set swept_at = now() - interval '10 minutes'`);
    await second.app.get(FileSweeper).sweep();
    expect(await isThere(next)).toBe(false);
  });
});

describe('a base', () => {
  it('that is copied has files of its own under the same ids', async () => {
    const [file, other] = [await upload(), await upload()];
    const { owner, workspace } = home;
    const base = expectStatus(
      await owner.post<{ id: string }>(`/workspaces/${workspace.id}/bases`, { name: 'Copy' }),
      201,
    );
    const table = expectStatus(await owner.post<Table>(`/bases/${base.id}/tables`, { name: 'Deals' }), 201);
    const copy = table.physical.schema;
    await server.app.get(FilesService).copy(schema, copy, [file.id]);
    await server.app.get(FilesService).copy(schema, copy, [file.id]);
    expect([await records(copy), objects(copy)]).toEqual([[file.id], [file.id]]);
    await server.app.get(FilesPurge).ofBase(schema);
    expect(objects()).toEqual([]);
    const { url } = expectStatus(await owner.get<{ url: string }>(`/tables/${table.id}/attachments/${file.id}`), 200);
    expect(await (await fetch(server.base + url)).text()).toBe('some bytes');
    expect((await owner.get(`/tables/${table.id}/attachments/${other.id}`)).status).toBe(404);
  });

  it('that is purged with its workspace takes its files with it, and their addresses', async () => {
    const file = await upload();
    const { url } = expectStatus(
      await home.owner.get<{ url: string }>(`/tables/${home.table.id}/attachments/${file.id}`),
      200,
    );
    expectStatus(await home.owner.del(`/workspaces/${home.workspace.id}`), 204);
    await sql(pair.main, `update workspaces set deleted_at = now() - interval '1 year' where id = $1`, [
      home.workspace.id,
    ]);
    expect(await server.app.get(WorkspacePurge).sweep()).toBe(1);
    expect(existsSync(path.join(server.config.files.directory, schema))).toBe(false);
    expect((await fetch(server.base + url)).status).toBe(404);
  });
});
