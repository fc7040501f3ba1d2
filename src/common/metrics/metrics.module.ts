import { Global, Module } from '@nestjs/common';
import { Metrics } from './metrics.js';

/** The numbers of the application, for whoever has some to tell. */
@Global()
@Module({ providers: [Metrics], exports: [Metrics] })
export class MetricsModule {}
