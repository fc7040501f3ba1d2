/** Traces that are sent somewhere. */
export interface Tracing {
  /** Sends what is left, for as long as that may take; never rejects. */
  stop(withinMs: number): Promise<void>;
}
