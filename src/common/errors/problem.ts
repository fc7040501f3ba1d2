import { ERRORS, PROBLEM_BASE, type ErrorCode } from './catalogue.js';

/** One finding inside a problem: where (JSON pointer, RFC 6901), what (code) and in words. */
export interface ProblemItem {
  readonly pointer: string;
  readonly code: string;
  readonly detail: string;
  readonly [extra: string]: unknown;
}

/** The body of `application/problem+json` (RFC 9457). */
export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail?: string;
  readonly instance?: string;
  readonly requestId?: string;
  readonly errors?: readonly ProblemItem[];
  readonly [extra: string]: unknown;
}

export interface ProblemOptions {
  /** One sentence for the caller: what is wrong and how to mend it. Never database text. Left out: the hint of the catalogue. */
  readonly detail?: string;
  readonly errors?: readonly ProblemItem[];
  /** Further members of the body, such as `current` of a version mismatch. */
  readonly extra?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** What really happened; logged, never sent. */
  readonly cause?: unknown;
}

/** An error that is meant for the caller. Anything else that is thrown becomes `internal_error`. */
export class Problem extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly errors?: readonly ProblemItem[];
  readonly extra?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly detail?: string;

  constructor(code: ErrorCode, options: ProblemOptions = {}) {
    super(options.detail ?? ERRORS[code].title, { cause: options.cause });
    this.name = 'Problem';
    this.code = code;
    this.status = ERRORS[code].status;
    this.detail = options.detail;
    this.errors = options.errors;
    this.extra = options.extra;
    this.headers = options.headers;
  }

  /** The RFC 9457 body; `where` adds what only the edge knows. */
  body(where: { instance?: string; requestId?: string } = {}): ProblemBody {
    return {
      type: PROBLEM_BASE + this.code.replaceAll('_', '-'),
      title: ERRORS[this.code].title,
      status: this.status,
      code: this.code,
      detail: this.detail ?? ERRORS[this.code].hint,
      ...where,
      ...(this.errors ? { errors: this.errors } : {}),
      ...this.extra,
    };
  }
}

/** 422 with findings; the usual answer to content that is understood but not acceptable. */
export function invalid(errors: readonly ProblemItem[], detail?: string): Problem {
  return new Problem('validation_failed', { errors, detail: detail ?? errors[0]?.detail });
}

/** 409 with all that the rows that are there keep a change from. */
export function rowsInTheWay(errors: readonly ProblemItem[]): Problem {
  return new Problem('rows_in_the_way', { detail: errors.map(({ detail }) => detail).join(' '), errors });
}

/** 404 for what does not exist or is not visible to the caller; the two are never told apart. */
export function notFound(what: string): Problem {
  return new Problem('not_found', { detail: `${what} does not exist or is not visible to you.` });
}
