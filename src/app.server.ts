import type { Server } from 'node:http';
import compress from '@fastify/compress';
import cors from '@fastify/cors';
import { LogController, type FastifyHttpOptions } from 'fastify';
import type { Logger } from 'pino';
import type { ProblemFilter } from './common/filters/index.js';
import { API_PREFIX } from './common/http.js';
import { traitsOf } from './common/decorators/index.js';
import { requestLog, slowQueryLog } from './common/logging/index.js';
import {
  answerClientError,
  answerExpectation,
  answerHeaders,
  apiHeaders,
  COMPRESSION,
  corsOptions,
  EdgeAdapter,
  paceBelow,
  registerContentParsers,
  registerRequestHooks,
  registerSecurity,
  requestId,
} from './common/server/index.js';
import { isTracing, traceRequests } from './common/tracing/index.js';
import type { AppConfig } from './config/index.js';
import { DOCS_PATH } from './docs/index.js';

const SECONDS = 1_000;
/** Fastify as this product sets it up: limits, timeouts, request ids, bodies, logging. */
export async function createAdapter(config: AppConfig, logger: Logger, problems: ProblemFilter): Promise<EdgeAdapter> {
  const requestMs = config.requestSeconds * SECONDS;
  // Behind a proxy that speaks HTTPS, and with a line in the log for each request.
  const isProduction = config.environment === 'production';
  const setApiHeaders = apiHeaders(isProduction);
  const options: FastifyHttpOptions<Server> & { skipMiddie: true } = {
    // Fastify itself has nothing to say below a warning.
    loggerInstance: logger.child({}, { level: logger.isLevelEnabled('warn') ? 'warn' : logger.level }),
    // One line per request is written by our own hook; a child logger per request would cost more than the line.
    logController: new LogController({ disableRequestLogging: true }),
    childLoggerFactory: (parent) => parent,
    requestIdHeader: false,
    genReqId: requestId,
    bodyLimit: config.bodyLimit,
    trustProxy: trustedProxies(config.trustProxy),
    // Longer than the idle timeout of the usual load balancers (60 s), so that they close first.
    keepAliveTimeout: 72 * SECONDS,
    // No byte either way for this long ends the connection; statements are cut off long before.
    connectionTimeout: 120 * SECONDS,
    // A request that trickles in holds a connection and its part of the memory: it has to be whole in time, headers sooner.
    requestTimeout: requestMs,
    http: {
      headersTimeout: Math.min(15 * SECONDS, requestMs),
      // Node looks only so often, and a request may take that much longer.
      connectionsCheckingInterval: Math.min(5 * SECONDS, requestMs / 4),
    },
    routerOptions: { maxParamLength: 512 },
    // Idle connections are closed at once, busy ones after their answer; see also `drain`.
    forceCloseConnections: 'idle',
    // A request that arrives on an open connection while we stop is still answered; its connection ends with the answer.
    return503OnClosing: false,
    // No Express-style middleware anywhere: it would see other paths than the router does.
    skipMiddie: true,
    clientErrorHandler: answerClientError,
    // What the router refuses before any hook runs, such as "%zz" in a path.
    frameworkErrors: (error, request, reply) => {
      setApiHeaders(reply);
      answerHeaders(request, reply);
      problems.answer(error, reply);
    },
  };
  const adapter = new EdgeAdapter(options, config.responseLimit);
  const instance = adapter.getInstance();
  instance.server.on('checkExpectation', answerExpectation);
  // First of all, so that waiting is part of it.
  if (isTracing()) traceRequests(instance);
  // Before everything else: the rest of a request in a rush can wait for its turn.
  paceBelow(instance, `/${API_PREFIX}/auth/`);
  // Not Nest's enableCors: it copies headers to Node's response, and that costs every answer more than the edge in all.
  await instance.register(cors, corsOptions(config.corsOrigins));
  instance.addHook('onRoute', (route) => {
    if (traitsOf(route).compress === false) route.compress = false;
  });
  await instance.register(compress, COMPRESSION);
  registerSecurity(instance, { pagesBelow: `/${DOCS_PATH}`, https: isProduction });
  registerContentParsers(instance, config.bodyLimit);
  adapter.whenAnswered(requestLog(logger, isProduction));
  adapter.whenAnswered(slowQueryLog(logger, config.slowQueryMs));
  registerRequestHooks(instance, (request, reply) => adapter.answered(request, reply));
  return adapter;
}

/** Either how many hops before us are ours, or the addresses of our proxies. */
function trustedProxies(
  setting: AppConfig['trustProxy'],
): string[] | false | ((address: string, hop: number) => boolean) {
  if (typeof setting !== 'number') return [...setting];
  return setting > 0 && ((_address, hop) => hop < setting);
}
