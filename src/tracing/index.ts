import type { AppConfig } from '../config/index.js';
import type { Tracing } from './tracing.js';

export type { Tracing };

/** Begins to trace this process, where the settings say whereto; otherwise nothing of OpenTelemetry's SDK is loaded. */
export async function startTracing(
  config: Pick<AppConfig, 'name' | 'version' | 'tracing'>,
): Promise<Tracing | undefined> {
  if (!config.tracing) return undefined;
  const { OpenTelemetry } = await import('./open-telemetry.js');
  return new OpenTelemetry(config.tracing, config.version);
}
