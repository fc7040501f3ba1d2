import { ApiProperty } from '@nestjs/swagger';

export class HealthPartDto {
  /** @example 'up' */
  status!: 'up' | 'down' | 'degraded';
  /**
   * What is wrong with it; absent where nothing is.
   * @example 'The database does not answer.'
   */
  message?: string;
}
export class DatabaseHealthDto extends HealthPartDto {
  /**
   * Milliseconds of one trivial statement.
   * @example 1
   */
  responseTime!: number;
}
export class RedisHealthDto extends HealthPartDto {
  /**
   * `embedded` when no Redis is configured: this process is its own bus.
   * @example 'embedded'
   */
  mode?: string;
  responseTime?: number;
  host?: string;
  port?: number;
}
export class SchemaHealthDto extends HealthPartDto {
  /**
   * When the structure of the bases was last compared with the metadata, by any node; absent before the first time.
   * @example '2026-11-22T21:00:00.000Z'
   */
  checkedAt?: string;
  /**
   * How many bases were compared.
   * @example 12
   */
  bases?: number;
  /**
   * How many of them changed all the time and could not be judged.
   * @example 0
   */
  skipped?: number;
  /**
   * In how many places the two differ; `npm run check:schema` lists them.
   * @example 0
   */
  findings?: number;
}
export class MemoryHealthDto extends HealthPartDto {
  /**
   * Bytes.
   * @example 67108864
   */
  used!: number;
  /** @example 4345298944 */
  limit!: number;
  /** @example 1.5 */
  percentage!: number;
}
export class StorageHealthDto extends HealthPartDto {
  /** @example '/tmp' */
  path!: string;
  /** Bytes that are left. Degraded when they are less than 1 GiB and less than a twentieth of all. */
  free?: number;
  /** Bytes in all. */
  limit?: number;
  /** @example 33.1 */
  percentage?: number;
}
export class SystemHealthDto extends HealthPartDto {
  /** @example 'linux' */
  platform!: string;
  /** @example 'x64' */
  arch!: string;
  /** @example 'v20.20.2' */
  nodeVersion!: string;
  /** @example 2 */
  cpuCores!: number;
  /** @example 'AMD EPYC' */
  cpuModel!: string;
  totalMemory!: number;
  freeMemory!: number;
  usedMemory!: number;
  memoryUsagePercent!: number;
  /** Seconds. */
  uptime!: number;
  /** @example [0.1, 0.2, 0.1] */
  loadAverage!: number[];
}
export class ApplicationHealthDto extends HealthPartDto {
  /** @example 'live-tables-backend' */
  name!: string;
  /** @example '0.1.0' */
  version!: string;
  /** @example 'development' */
  environment!: string;
  processId!: number;
  /** Seconds. */
  processUptime!: number;
}

/** The parts by name. A part that is down is in `error` and `details`, all others in `info` and `details`. */
export class HealthPartsDto {
  database?: DatabaseHealthDto;
  mini_database?: DatabaseHealthDto;
  redis?: RedisHealthDto;
  /** Of `ready` only. Degraded when the last comparison found a difference. */
  schema?: SchemaHealthDto;
  memory_heap?: MemoryHealthDto;
  memory_rss?: MemoryHealthDto;
  storage?: StorageHealthDto;
  system?: SystemHealthDto;
  application?: ApplicationHealthDto;
}

export class HealthDto {
  /** `degraded` still answers 200: nothing is lost, something is slower. */
  @ApiProperty({ enum: ['ok', 'degraded', 'error', 'shutting_down'], example: 'ok' })
  status!: string;
  /** @example '2026-11-22T21:00:00.000Z' */
  timestamp!: string;
  /**
   * Seconds since the start of the process.
   * @example 42
   */
  uptime!: number;
  info!: HealthPartsDto;
  error!: HealthPartsDto;
  details!: HealthPartsDto;
}

export class AliveDto {
  /** @example 'ok' */
  status!: string;
}
