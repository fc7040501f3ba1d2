import { Global, Module } from '@nestjs/common';
import { RedisClient } from './redis-client.js';

/** The one Redis client of the process. */
@Global()
@Module({ providers: [RedisClient], exports: [RedisClient] })
export class RedisModule {}
