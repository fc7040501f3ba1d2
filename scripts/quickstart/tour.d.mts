/** One line of airports.csv. */
export type Airport = Readonly<
  Record<'iata' | 'name' | 'city' | 'state' | 'country' | 'latitude' | 'longitude', string>
>;

/** What the tour has made and seen, once every step has checked itself. */
export interface Outcome {
  readonly adaEmail: string;
  readonly graceEmail: string;
  readonly workspaceId: string;
  readonly baseId: string;
  readonly tableId: string;
  readonly physical: { readonly schema: string; readonly table: string };
  readonly loaded: { readonly calls: number; readonly seq: number };
  /** The rows as they were read back before the edit, by IATA code. */
  readonly rows: ReadonlyMap<string, { readonly id: string; readonly version: number; readonly fields: Airport }>;
  /** IATA codes that the filter found, in order. */
  readonly found: readonly string[];
  /** What Ada's socket received of Grace's edit. */
  readonly event: {
    readonly seq: number;
    readonly prev: number;
    readonly actor: { readonly name: string; readonly clientId?: string };
    readonly updated: readonly { readonly id: string; readonly version: number; readonly fields: object }[];
  };
}

export function readAirports(): Airport[];

/** Throws with one sentence when anything is not as expected. */
export function takeTour(options: {
  readonly base: string;
  readonly say?: (line: string) => void;
  readonly airports?: readonly Airport[];
}): Promise<Outcome>;
