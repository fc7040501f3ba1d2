import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

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
  /** Of filters, sorts and computed columns: the name that is meant. */
  field?: string;
  /** Of formulas and text filters: where it begins, in UTF-16 units from 0. */
  position?: number;
  /** Of formulas: how many units it takes. */
  length?: number;
  /** Of formulas: what could stand there. */
  expected?: string;
  /** Of imports: the line of the file, from 1. */
  line?: number;
  /** Of writes of many rows: which one. */
  rowId?: string;
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
  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description: 'Of a `version_mismatch`: the row as it is now.',
  })
  current?: object | null;
}
