import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import { ERRORS, Problem, type ErrorCode } from '../errors/index.js';
import { ProblemDto } from '../errors/problem.dto.js';

/** Documents the errors that a route answers with, as `application/problem+json`: one response per status, one example per code. */
export function ApiProblems(...codes: readonly ErrorCode[]): MethodDecorator & ClassDecorator {
  const statuses = [...new Set(codes.map((code) => ERRORS[code].status))];
  const responses = statuses.map((status) => {
    const sameStatus = codes.filter((code) => ERRORS[code].status === status);
    return ApiResponse({
      status,
      description: sameStatus.map((code) => ERRORS[code].title).join(' · '),
      content: {
        'application/problem+json': {
          schema: { $ref: getSchemaPath(ProblemDto) },
          examples: Object.fromEntries(sameStatus.map((code) => [code, { value: new Problem(code).body() }])),
        },
      },
    });
  });
  return applyDecorators(ApiExtraModels(ProblemDto), ...responses);
}
