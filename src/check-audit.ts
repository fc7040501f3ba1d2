import 'reflect-metadata';
import { DataSource } from 'typeorm';
import { runCheck } from './check.js';
import { AuditChain, mainDataSourceOptions } from './database/main/index.js';

/** `npm run check:audit`: computes all hash chains of the audit log anew, those of accounts too, and prints each that is not what was written on a line of its own. */
await runCheck(async (config, say) => {
  const dataSource = await new DataSource(mainDataSourceOptions(config.mainDb)).initialize();
  try {
    const chain = new AuditChain(dataSource);
    const streams = await chain.streams();
    let [entries, findings] = [0, 0];
    for (const stream of streams) {
      const { ok, checked, broken, unlinked } = await chain.verify(stream);
      entries += checked;
      if (ok) continue;
      findings++;
      if (broken) say(`${stream}: number ${broken.seq} is not what was written (entry ${broken.entryId ?? 'gone'})`);
      if (unlinked > 0) say(`${stream}: ${unlinked} entries were not written by the server`);
    }
    say(`${streams.length} chains of ${entries} entries computed anew, ${findings} are broken.`);
    return findings;
  } finally {
    await dataSource.destroy();
  }
});
