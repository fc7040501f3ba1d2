export { PUBLIC_PREFIX } from './public-path.js';
export { PublishingModule } from './publishing.module.js';
export { RevertiblePublications } from './settings/revertible-publications.js';
