import { QueryFailedError } from 'typeorm';

/** Whether the main database refused a write because of a unique constraint (SQLSTATE 23505), optionally of this name. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  if (!(error instanceof QueryFailedError)) return false;
  const { code, constraint: violated } = error.driverError as {
    readonly code?: unknown;
    readonly constraint?: unknown;
  };
  return code === '23505' && (constraint === undefined || violated === constraint);
}
