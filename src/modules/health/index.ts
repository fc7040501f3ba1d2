export * from './health.module.js';
export { METRICS_PATH } from './metrics/metrics.controller.js';
