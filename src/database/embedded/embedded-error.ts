/** The embedded PostgreSQL cannot be used; the message is one sentence that says what to do. */
export class EmbeddedError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'EmbeddedError';
  }
}

/** The system's code of a failure (`EACCES`), or its message where it has none. */
export const codeOf = (error: unknown): string =>
  (error as NodeJS.ErrnoException).code ?? (error instanceof Error ? error.message : String(error));

/** What everybody can do who cannot use the embedded form. */
export const USE_YOUR_OWN = 'set DB_HOST and MINI_DB_HOST to use a PostgreSQL of your own';
