import type { Schemas } from './openapi.js';

/** One finding of a validation: where in the body, what, and a sentence about it. */
export type ProblemItem = Schemas['ProblemItemDto'];

/** The body of a refusal (RFC 9457). `current` is the row as it is now, where a version or a merge was refused. */
export type Problem = Schemas['ProblemDto'];

/** The server refused: what was asked over HTTP, or a message on the socket. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(readonly problem: Problem) {
    super(problem.detail ?? problem.title);
  }

  /** Stable and machine-readable; the list is in docs/ERROR_CODES.md. */
  get code(): string {
    return this.problem.code;
  }

  get status(): number {
    return this.problem.status;
  }

  /** Each finding, with a JSON pointer into what was sent; empty where there is one reason only. */
  get errors(): readonly ProblemItem[] {
    return this.problem.errors ?? [];
  }

  /** The first finding's place in what was sent. */
  get pointer(): string | undefined {
    return this.errors[0]?.pointer;
  }

  /** The row as it is now, after a version or a merge that was refused (412, 409). */
  get current(): unknown {
    return this.problem.current;
  }
}

/** Nobody is signed in, or the session has ended: sign in (again). */
export class SignedOutError extends Error {
  override readonly name = 'SignedOutError';

  constructor(message = 'Nobody is signed in.') {
    super(message);
  }
}

/** The server could not be reached, or what came was no answer of this API. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
}

/** A row was written as it was asked, and rules of the table keep from whoever wrote it what it has become. Nothing is to be repeated. */
export class RowNotShownError extends Error {
  override readonly name = 'RowNotShownError';

  constructor() {
    super('The row is written; rules of the table keep it from you.');
  }
}
