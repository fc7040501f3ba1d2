import net from 'node:net';

/** The wanted port of 127.0.0.1 when it is free, else any free one. Somebody may still be faster: be ready to ask again. */
export async function freePort(wanted: number): Promise<number> {
  return (wanted === 0 ? undefined : await take(wanted)) ?? (await take(0)) ?? wanted;
}

const take = (port: number) =>
  new Promise<number | undefined>((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? address?.port : undefined));
    });
  });
