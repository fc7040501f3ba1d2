import http from 'node:http';
import os from 'node:os';
import { text } from 'node:stream/consumers';

/**
 * A process of its own and a nice one, so that the clients' work is not measured as the server's: opens a connection for each
 * login, then sends all of them at once, and prints `[{status, code, detail, retryAfter}]` in their order.
 * Standard input: `{base, logins: [{email, password}]}`.
 */
os.setPriority(os.constants.priority.PRIORITY_LOW);
const { base, logins } = JSON.parse(await text(process.stdin));
const agent = new http.Agent({ keepAlive: true, maxSockets: logins.length });

const ask = (method, path, body) =>
  new Promise((resolve, reject) => {
    const options = { agent, method, headers: { 'content-type': 'application/json' } };
    const request = http.request(`${base}/api/v1${path}`, options, async (response) => {
      const { code, detail } = JSON.parse(await text(response));
      resolve({ status: response.statusCode, code, detail, retryAfter: response.headers['retry-after'] });
    });
    request.on('error', reject).end(body);
  });
const all = (work) => Promise.all(logins.map(work));

await all(() => ask('GET', '/health/live'));
console.log(JSON.stringify(await all((login) => ask('POST', '/auth/login', JSON.stringify(login)))));
agent.destroy();
