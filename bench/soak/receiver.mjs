/** Where webhooks go: one address that takes everything, one that fails now and then, one that is slow. Remembers how far each table was told of. */
import { once } from 'node:events';
import http from 'node:http';

const ANSWERS = {
  good: () => ({ status: 204, after: 0 }),
  failing: (nr) => ({ status: nr % 50 === 0 ? 503 : 204, after: 0 }),
  slow: (nr) => ({ status: 204, after: nr % 20 === 0 ? 1_500 : 10 }),
};

export async function startReceiver() {
  const flaws = [];
  const taken = new Map();
  let messages = 0;
  const server = http.createServer(async (request, response) => {
    const name = new URL(request.url, 'http://127.0.0.1').pathname.slice(1);
    let text = '';
    for await (const chunk of request) text += chunk;
    const { status, after } = (ANSWERS[name] ?? ANSWERS.good)(++messages);
    const { tableId, type, data } = JSON.parse(text);
    if (tableId && status < 300 && Object.hasOwn(ANSWERS, name)) {
      const key = `${name} ${tableId}`;
      const last = taken.get(key);
      // At least once and in order: the same number again is no flaw, a number left out is.
      if (type === 'reset' || (last !== undefined && data.seq > last + 1))
        flaws.push(`webhook ${name}: ${type} ${data.seq} behind ${last}`);
      taken.set(key, data.seq);
    }
    setTimeout(() => response.writeHead(status).end(), after);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    base: `http://127.0.0.1:${server.address().port}`,
    names: Object.keys(ANSWERS),
    result: () => ({ messages, flaws, taken: Object.fromEntries(taken) }),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
