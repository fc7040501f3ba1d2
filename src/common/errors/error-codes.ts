import { ERRORS, PROBLEM_BASE } from './catalogue.js';

/** The text of `docs/ERROR_CODES.md`. */
export function errorCodesDocument(): string {
  const rows = Object.entries(ERRORS).map(
    ([code, { status, title, hint }]) => `| ${status} | \`${code}\` | ${title} | ${hint} |`,
  );
  return `# Error codes

<!-- Written by \`npm run docs:errors\` from src/common/errors/catalogue.ts. Do not edit. -->

Every error of this API is a document of the type \`application/problem+json\` (RFC 9457):

\`\`\`json
{
  "type": "${PROBLEM_BASE}validation-failed",
  "title": "Validation failed",
  "status": 422,
  "code": "validation_failed",
  "detail": "name should not be empty",
  "instance": "/api/v1/workspaces",
  "requestId": "01980a3e-7c1b-7d2e-9f00-5a4b3c2d1e0f",
  "errors": [{ "pointer": "/name", "code": "is_not_empty", "detail": "name should not be empty" }]
}
\`\`\`

Decide by \`code\`: it is stable, never reused and never changes its meaning; texts may change. \`type\` is the code as a URI. A refusal
is decided in the order 401, 404, 403, then 400 and 422, so that nobody learns of what they may not see. When you report a
problem, name its \`requestId\`.

| status | code | title | what to do |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}
