import type { INestApplication } from '@nestjs/common';
import { PERMISSIONS, X_PERMISSION } from '../../common/index.js';
import type { JsonSchema } from './json-schema.js';
import { schemasOf } from './schemas.js';
import type { ClientMessage, SocketMessage, SocketProtocol } from './socket-protocol.js';

const INTRODUCTION = `\
Committed changes of tables, as they happen, over Socket.IO 4 (Engine.IO 4): default namespace \`/\`, path \`/socket.io\`, on the address of
the REST API, which is described by OpenAPI at \`/api/docs\`.

**Point of view.** The application of this document is the server: it *receives* what clients send (\`subscribe\`, \`unsubscribe\`, \`auth\`) and
*sends* events (\`data:update\`, \`schema:update\`, \`control\`). The \`name\` of a message is the name of the Socket.IO event. A \`reply\` is no event
but the acknowledgement of its message (\`emitWithAck\`).

**Connecting.** \`io(address, { auth: { token: <access token> } })\`. Without a valid token the connection is refused: \`connect_error\` with
a problem document (RFC 9457) as its \`data\`. A socket ends with its token; \`auth\` gives it a fresh one.

**Schemas** say exactly what is sent today. Later versions may add members: a client ignores what it does not know. The server does not: a
client's message with an unknown property is refused.

**Promise.** For each table, changes arrive numbered 1, 2, 3 … in commit order, at least once and without a gap. \`prev\` is the number
before; a client whose last number is another one subscribes again with \`from\`. Where a feed cannot go on, the client is told \`reset\`.
`;

/** A part of the document. */
type Part = Readonly<Record<string, unknown>>;

const ref = (...path: readonly string[]) => ({ $ref: `#/${path.join('/')}` });
const CHANNEL = 'live';

/** The AsyncAPI 3 document of the socket. */
export function asyncApiDocument(app: INestApplication, version: string, protocol: SocketProtocol): Part {
  const messages = allMessages(protocol);
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Live Tables, live changes',
      version,
      description: INTRODUCTION,
      license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
    },
    defaultContentType: 'application/json',
    servers: servers(),
    channels: {
      [CHANNEL]: {
        address: '/',
        title: 'The socket',
        description:
          'The default namespace of Socket.IO. What a socket follows is said by `subscribe`, not by the address.',
        messages: Object.fromEntries(messages.map(({ id }) => [id, ref('components', 'messages', id)])),
      },
    },
    operations: operations(protocol),
    components: {
      messages: Object.fromEntries(messages.map((message) => [message.id, messagePart(message)])),
      schemas: schemasOf(
        app,
        messages.flatMap(({ payload }) => payload),
      ),
      securitySchemes: {
        accessToken: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'The accessToken of the REST API, not as a header but in the handshake: `auth: { token }`.',
        },
      },
    },
  };
}

/** The host stands as a variable: an address in AsyncAPI cannot be relative to where the document came from. */
function servers(): Record<string, Part> {
  const server = (protocol: string, host: string, description: string): Part => ({
    host: '{host}',
    pathname: '/socket.io',
    protocol,
    protocolVersion: 'Socket.IO 4',
    description,
    variables: { host: { default: host, description: 'Host and port of the REST API.' } },
    security: [ref('components', 'securitySchemes', 'accessToken')],
  });
  return {
    local: server('ws', 'localhost:3000', 'As `npm start` brings it: without TLS.'),
    secure: server(
      'wss',
      'live-tables.example.com',
      'Behind a proxy that ends TLS. Falls back to long polling over HTTPS.',
    ),
  };
}

/** Each once, although several messages may share an answer. */
function allMessages({ fromClient, fromServer }: SocketProtocol): SocketMessage[] {
  const all = [...fromClient.flatMap((message) => [message, ...message.answers]), ...fromServer];
  return [...new Set(all)];
}

function messagePart(message: SocketMessage): Part {
  const { id, title, description, payload, examples } = message;
  const schemas = payload.map(({ name }) => ref('components', 'schemas', name));
  return {
    // An acknowledgement has no name of its own on the wire.
    name: 'event' in message ? message.event : id,
    title,
    ...(description === undefined ? {} : { description }),
    contentType: 'application/json',
    payload: schemas.length === 1 ? schemas[0] : ({ oneOf: schemas } satisfies JsonSchema),
    examples: examples.map(({ summary, payload: body }, n) => ({ name: `${id}${n + 1}`, summary, payload: body })),
  };
}

function operations({ fromClient, fromServer }: SocketProtocol): Record<string, Part> {
  const one = (id: string) => ref('channels', CHANNEL, 'messages', id);
  const channel = ref('channels', CHANNEL);
  const received = fromClient.map((message) => [
    message.id,
    {
      action: 'receive',
      channel,
      title: message.title,
      ...permissionOf(message),
      messages: [one(message.id)],
      reply: { channel, messages: message.answers.map(({ id }) => one(id)) },
    },
  ]);
  const sent = fromServer.map(({ id, title }) => [id, { action: 'send', channel, title, messages: [one(id)] }]);
  return Object.fromEntries([...received, ...sent]) as Record<string, Part>;
}

const permissionOf = ({ permission }: ClientMessage): Part =>
  permission === undefined
    ? {}
    : {
        description:
          `Needs the permission \`${permission}\` in the workspace of the channel: role ${PERMISSIONS[permission]} or stronger. ` +
          'To people of other workspaces the channel does not exist (404).',
        [X_PERMISSION]: permission,
      };
