import { ApiExtension } from '@nestjs/swagger';
import type { ErrorCode } from '../errors/index.js';

/** Member of an operation in the OpenAPI document: the codes that it names itself. */
export const X_PROBLEMS = 'x-problems';

/**
 * Documents the errors that are a route's own, such as `name_taken`. What follows from who may call, from a body or from
 * a query (401, 403, 404, 422 …) is added to the document by itself; see `describeProblems`.
 */
export const ApiProblems = (...codes: readonly ErrorCode[]): MethodDecorator & ClassDecorator =>
  ApiExtension(X_PROBLEMS, [...codes]);
