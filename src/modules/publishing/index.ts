export { PUBLIC_PREFIX } from './public-path.js';
export { PublishingModule } from './publishing.module.js';
