import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { ProblemDto } from '../common/errors/problem.dto.js';
import { asyncApiDocument } from './asyncapi/asyncapi-document.js';
import { serveAsyncApi } from './asyncapi/serve-asyncapi.js';
import type { SocketProtocol } from './asyncapi/socket-protocol.js';
import { describeAccess } from './describe-access.js';
import { describeAnswers } from './describe-answers.js';
import { describeHeaders } from './describe-headers.js';
import { describeNulls } from './describe-nulls.js';
import { describePaths } from './describe-paths.js';
import { BEARER, describeProblems, PERSONAL_TOKEN } from './describe-problems.js';

export const DOCS_PATH = 'api/docs';
export const DOCS_JSON_PATH = 'api/docs-json';

const INTRODUCTION = `
Tables that people edit together, with every change logged, numbered and sent to whoever watches.

**Try it from this page, in a minute:**
1. *Auth* → \`POST /auth/register\`: put in your address and a password of 12 characters or more, press **Execute**.
2. Copy \`accessToken\` from the answer, press **Authorize** above, paste it. It is kept when you reload; it lasts 15 minutes (\`POST /auth/login\` gives the next one).
3. *Workspaces* → \`POST /workspaces\`; with its \`id\`, *Bases* → \`POST /workspaces/{workspaceId}/bases\`; with that \`id\`, *Tables* → \`POST /bases/{baseId}/tables\`.
4. With the table's \`id\`, *Rows*: create some, then list them with a \`filter\`. The examples of this page fit together: you need to fill in ids only.

**Conventions.** JSON in camelCase; ids are UUIDv7; times are RFC 3339 in UTC. Creating answers 201 with \`Location\`, deleting 204.
A list is \`{"data":[…],"page":{"limit":50,"nextCursor":"…"}}\`; no \`nextCursor\` means that this was the last page. In a PATCH what is
absent stays, \`null\` clears. What is unknown is refused, never ignored.

**Errors** are \`application/problem+json\` (RFC 9457) with a stable \`code\`. Every answer carries \`X-Request-Id\` (yours, if you send one)
and \`Server-Timing\`; limited routes carry \`RateLimit\`.

**Live changes** come over Socket.IO on this host (path \`/socket.io\`, \`auth: { token }\`): \`subscribe {"channel":"table:<id>"}\`. They have
a document of their own: [asyncapi.yaml](/api/docs/asyncapi.yaml), or [JSON](/api/docs/asyncapi.json).
`;

const TAGS: readonly (readonly [name: string, description: string])[] = [
  ['Auth', 'Sign up, sign in, sessions.'],
  ['Users', 'Your own profile, and your tokens for programs.'],
  ['Workspaces', 'Where people work together, and who may what.'],
  ['Members', 'The people of a workspace and their roles.'],
  ['Invitations', 'Links by which people without an account become members.'],
  ['Bases', 'A base holds tables that belong together; it is one schema in PostgreSQL.'],
  ['Connections', 'External databases: where they are, and what is in them.'],
  ['Templates', 'A base as one document: made from it, or written to it.'],
  ['Tables', 'Tables and what they look like.'],
  ['Columns', 'The columns of a table.'],
  ['Rules', 'Who sees and changes which rows and columns of a table.'],
  ['Indexes', 'The indexes of a table: for pages, filters and searches of large ones.'],
  ['Rows', 'The data: read, filter, write, in bulk, and what changed.'],
  ['Views', 'Stored questions over tables and external databases in any mix, and their answers.'],
  ['History', 'What happened to rows, and undoing it.'],
  ['Publishing', 'Views as read-only APIs: what is shown to whom, and what readers call.'],
  ['Webhooks', 'Addresses that are told what changes.'],
  ['Attachments', 'Files for attachment columns: upload, download.'],
  ['Audit log', 'Who did what.'],
  ['Health', 'For load balancers and for the curious.'],
];

/** The OpenAPI document of the application. */
export function openApiDocument(app: NestFastifyApplication, version: string): OpenAPIObject {
  const head = TAGS.reduce(
    (builder, [name, description]) => builder.addTag(name, description),
    new DocumentBuilder()
      .setTitle('Live Tables')
      .setDescription(INTRODUCTION)
      .setVersion(version)
      .setLicense('MIT', 'https://opensource.org/license/mit')
      // Relative, so that "Try it out" calls the host that the page came from, whatever its name is.
      .addServer('/', 'this server')
      .addBearerAuth(
        {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'The accessToken that register and login answer with.',
        },
        BEARER,
      )
      .addBearerAuth(
        {
          type: 'http',
          scheme: 'bearer',
          description: 'A personal token that POST /users/me/tokens answered with, for programs.',
        },
        PERSONAL_TOKEN,
      ),
  ).build();
  const document = SwaggerModule.createDocument(app, head, {
    extraModels: [ProblemDto],
    operationIdFactory: (controller, method) =>
      `${lowerFirst(controller.replace(/Controller$/, ''))}${upperFirst(method)}`,
  });
  describePaths(document);
  describeProblems(document);
  describeAnswers(document);
  describeAccess(document);
  describeHeaders(document);
  describeNulls(document);
  return document;
}

/**
 * Swagger UI at `/api/docs`, its document at `/api/docs-json`, that of the socket at `/api/docs/asyncapi.yaml`; all of them
 * are made on the first visit, not at the start.
 */
export function setupDocs(app: NestFastifyApplication, version: string, protocol: SocketProtocol): void {
  serveAsyncApi(app, DOCS_PATH, () => asyncApiDocument(app, version, protocol));
  SwaggerModule.setup(DOCS_PATH, app, () => openApiDocument(app, version), {
    jsonDocumentUrl: DOCS_JSON_PATH,
    yamlDocumentUrl: 'api/docs-yaml',
    customSiteTitle: 'Live Tables API',
    swaggerOptions: {
      persistAuthorization: true,
      tryItOutEnabled: true,
      displayRequestDuration: true,
      docExpansion: 'list',
      filter: true,
    },
  });
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
const upperFirst = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
