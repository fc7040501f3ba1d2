import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { API_PREFIX, validationPipe } from './common/index.js';
import type { AppConfig } from './config/index.js';

/**
 * The whole application, ready to `listen()` and not listening: what `main.ts` starts and what the tests start.
 * Throws when the main database cannot be reached.
 */
export async function createApp(config: AppConfig): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.register(config), new FastifyAdapter(), {
    abortOnError: false,
  });
  app.setGlobalPrefix(API_PREFIX);
  app.useGlobalPipes(validationPipe());
  return app;
}
