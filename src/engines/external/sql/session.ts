/** The connection to the server broke or was cut: what was being asked is not answered. */
export class SessionLost extends Error {
  constructor(cause?: unknown) {
    super('the session is lost', { cause });
    this.name = 'SessionLost';
  }
}

/** What a session is busy with when something fails. */
export type Moment = 'signing in' | 'reading' | 'changing';

/** A signed-in session with a server that may be anybody; one statement at a time. */
export interface Session {
  /** Whether it can be asked anything more. */
  readonly usable: boolean;
  /** Says good-bye; the server need not answer. */
  end(): void;
  /** Cuts the connection; whoever waits is told why. */
  fail(error: unknown): void;
}
