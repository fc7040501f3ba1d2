import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** As `application/yaml` (RFC 9512) and as JSON; the document is made on the first visit. HEAD is answered by Fastify itself. */
export function serveAsyncApi(app: NestFastifyApplication, below: string, make: () => object): void {
  let document: object | undefined;
  const http = app.getHttpAdapter().getInstance();
  http.get(`/${below}/asyncapi.json`, (_, reply) => {
    document ??= make();
    return reply.send(document);
  });
  http.get(`/${below}/asyncapi.yaml`, async (_, reply) => {
    document ??= make();
    return reply.type('application/yaml; charset=utf-8').send(await asYaml(document));
  });
}

/** The text of `asyncapi.yaml`. The writer is loaded when it is needed: most servers are never asked. */
export async function asYaml(document: object): Promise<string> {
  const { stringify } = await import('yaml');
  return stringify(document, { lineWidth: 0, aliasDuplicateObjects: false });
}
