import { describeApp } from './app.setup.js';
import { loadConfig, type PostgresSettings } from './config/index.js';
import { asYaml, asyncApiDocument, openApiDocument } from './docs/index.js';
import { SOCKET_PROTOCOL } from './modules/websocket/index.js';

/** Never called: the documents follow from routes and classes. */
const NOWHERE: PostgresSettings = {
  host: 'localhost',
  port: 1,
  username: '',
  password: '',
  database: '',
  tls: false,
  poolSize: 1,
};

/** The texts of docs/openapi.json and docs/asyncapi.yaml; needs no database and listens on nothing. */
export async function apiDocuments(): Promise<{ readonly openapi: string; readonly asyncapi: string }> {
  const config = loadConfig(
    { LOG_LEVEL: 'error' },
    { secrets: { jwtSecret: 'x'.repeat(64), encryptionKey: '0'.repeat(64) }, main: NOWHERE, mini: NOWHERE },
  );
  const app = await describeApp(config);
  return {
    openapi: asJson(openApiDocument(app, config.version)),
    asyncapi: await asYaml(asyncApiDocument(app, config.version, SOCKET_PROTOCOL)),
  };
}

const asJson = (document: object): string => `${JSON.stringify(document, null, 2)}\n`;
