/** `npm run docs:check`: every link and every path of this project that the documents name is there. */
import { brokenLinks } from './lib/doc-links.mjs';
import { run, Told } from './lib/project.mjs';

await run(() => {
  const broken = brokenLinks();
  if (broken.length > 0) throw new Told(broken.join('\n'));
  console.log('All links in the documents lead somewhere.');
});
