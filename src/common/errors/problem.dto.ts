import { ApiProperty } from '@nestjs/swagger';

/** One finding inside a problem. */
export class ProblemItemDto {
  /**
   * Where, as a JSON pointer (RFC 6901) into the body or the query.
   * @example '/email'
   */
  pointer!: string;
  /** @example 'is_email' */
  code!: string;
  /** @example 'email must be an e-mail address.' */
  detail!: string;
}

/** Every error of this API, as `application/problem+json` (RFC 9457). */
export class ProblemDto {
  /**
   * Identifies the kind of problem.
   * @example 'https://live-tables.dev/problems/validation-failed'
   */
  type!: string;
  /** @example 'Validation failed' */
  title!: string;
  /** @example 422 */
  status!: number;
  /**
   * Stable and machine-readable.
   * @example 'validation_failed'
   */
  code!: string;
  /** One sentence: what is wrong and how to mend it. */
  detail?: string;
  /** The path that was called. */
  instance?: string;
  /** Name it when you report the problem; it is in our logs. */
  requestId?: string;
  @ApiProperty({ type: () => [ProblemItemDto], required: false, description: 'Each finding of a validation.' })
  errors?: ProblemItemDto[];
}
