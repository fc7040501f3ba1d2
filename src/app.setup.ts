import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { createAdapter } from './app.server.js';
import { ProblemFilter } from './common/filters/index.js';
import { ContentGuard } from './common/guards/index.js';
import { API_PREFIX, validationPipe } from './common/index.js';
import { createLogger, NestLogger } from './common/logging/index.js';
import { isBehindProxy, type AppConfig } from './config/index.js';
import { setupDocs } from './docs/index.js';
import { serveLivePage } from './live-page/index.js';
import { METRICS_PATH } from './modules/health/index.js';
import { PUBLIC_PREFIX } from './modules/publishing/index.js';
import { LiveSocketAdapter, SOCKET_PROTOCOL } from './modules/websocket/index.js';

/**
 * The whole application, ready to `listen()` and not listening: what `main.ts` starts and what the tests start.
 * Throws when the main database cannot be reached.
 */
export const createApp = (config: AppConfig): Promise<NestFastifyApplication> =>
  assemble(AppModule.register(config), config);

/** The application as its documents see it: routes and classes, but no service is made and no database is called. */
export const describeApp = (config: AppConfig): Promise<NestFastifyApplication> =>
  assemble(AppModule.register(config), config, { preview: true });

/** Puts the edge around any root module; the tests of the edge bring a small one of their own. */
export async function assemble(
  root: DynamicModule,
  config: AppConfig,
  { preview = false }: { readonly preview?: boolean } = {},
): Promise<NestFastifyApplication> {
  const logger = createLogger({ level: config.logLevel, readable: config.environment !== 'production' });
  const problems = new ProblemFilter();
  const app = await NestFactory.create<NestFastifyApplication>(root, await createAdapter(config, logger, problems), {
    logger: new NestLogger(logger),
    abortOnError: false,
    bodyParser: false,
    preview,
  });
  app.setGlobalPrefix(API_PREFIX, {
    exclude: [METRICS_PATH, `${PUBLIC_PREFIX}/:slug`, `${PUBLIC_PREFIX}/:slug/*path`],
  });
  app.useGlobalFilters(problems);
  app.useGlobalPipes(validationPipe());
  // Added here and not as APP_GUARD: these come after the guards of all modules.
  app.useGlobalGuards(new ContentGuard());
  app.useWebSocketAdapter(
    new LiveSocketAdapter(app, { allowed: config.corsOrigins, behindProxy: isBehindProxy(config) }),
  );
  setupDocs(app, config.version, SOCKET_PROTOCOL);
  if (config.livePage) serveLivePage(app);
  return app;
}
