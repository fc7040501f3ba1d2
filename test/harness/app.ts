import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp } from '../../src/app.setup.js';
import { loadConfig, type AppConfig } from '../../src/config/index.js';
import { afterThisFile } from './run.js';
import { serverEnvironment, type ServerOptions } from './settings.js';

/** A server inside the test's own process. */
export interface TestApp {
  /** Such as `http://127.0.0.1:41233`. */
  readonly base: string;
  readonly app: NestFastifyApplication;
  readonly config: AppConfig;
  close(): Promise<void>;
}

export interface AppOptions extends ServerOptions {
  /** Settings over those that the environment gives. */
  readonly config?: Partial<AppConfig>;
}

/** Starts the real application in this process, on a free port and on migrated databases; it is closed after the tests of this file. */
export async function startApp(options: AppOptions = {}): Promise<TestApp> {
  const config = { ...loadConfig(await serverEnvironment(options)), ...options.config };
  const app = await createApp(config);
  let closed: Promise<void> | undefined;
  const close = () => (closed ??= app.close());
  afterThisFile(close);
  await app.listen(config.port, config.host);
  return { base: await app.getUrl(), app, config, close };
}
