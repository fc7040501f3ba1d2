import type {
  ConnectionTarget,
  ExternalEngine,
  ExternalEngineName,
  ExternalLimits,
  Outbound,
} from './external-engine.js';
import { MongoEngine } from './mongodb/index.js';
import { MysqlEngine } from './mysql/index.js';
import { PostgresEngine } from './postgres/index.js';

/** Opens an engine; nothing is connected before it is first asked something. */
export type EngineFactory = (target: ConnectionTarget, limits: ExternalLimits, outbound: Outbound) => ExternalEngine;

/** How engines are opened, by their names. One that is not here is answered with `not_implemented`. */
export type EngineFactories = Readonly<Partial<Record<ExternalEngineName, EngineFactory>>>;

export const ENGINE_FACTORIES: EngineFactories = {
  postgresql: (target, limits, outbound) => new PostgresEngine(target, limits, outbound),
  mysql: (target, limits, outbound) => new MysqlEngine(target, limits, outbound),
  mongodb: (target, limits, outbound) => new MongoEngine(target, limits, outbound),
};
