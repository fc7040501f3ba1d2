import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { Metrics, type EdgeAdapter } from '../../../common/index.js';
import { APP_CONFIG, type AppConfig } from '../../../config/index.js';

/** Seconds; few, for there is a series for each of them, each route and each status. */
const BUCKETS = [0.005, 0.025, 0.1, 0.25, 1, 2.5, 10];

/** How requests are answered, by the pattern of their route: the path that was asked for would be a label without bounds. */
@Injectable()
export class HttpMetrics implements OnModuleInit {
  constructor(
    private readonly metrics: Metrics,
    private readonly host: HttpAdapterHost,
    @Inject(APP_CONFIG) private readonly config: AppConfig,
  ) {}

  onModuleInit(): void {
    const { name, version, metrics } = this.config;
    if (!metrics.served) return;
    const instance = this.host.httpAdapter.getInstance<FastifyInstance>();
    this.metrics.gauge(
      { name: 'live_tables_build', help: 'Which version runs; always 1.', labels: ['name', 'version'] },
      () => [{ labels: { name, version }, value: 1 }],
    );
    this.metrics.gauge(
      { name: 'http_connections', help: 'Open connections, of sockets too.' },
      () =>
        new Promise((resolve, reject) => {
          instance.server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
        }),
    );
    const observe = this.metrics.histogram(
      {
        name: 'http_request_duration_seconds',
        help: 'Requests, from their arrival to the end of their answer.',
        labels: ['method', 'route', 'status'],
      },
      BUCKETS,
    );
    (this.host.httpAdapter as EdgeAdapter).whenAnswered(({ method, routeOptions }, { elapsedTime, statusCode }) =>
      observe(elapsedTime / 1_000, method, routeOptions.url ?? 'none', String(statusCode)),
    );
  }
}
