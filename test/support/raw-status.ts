import http from 'node:http';

/** The status of a request whose path goes out as it is written; `fetch` would resolve dots and encodings first. */
export const rawStatus = (base: string, method: string, path: string, token?: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(base);
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const request = http.request({ hostname, port, method, path, headers, agent: false }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0));
    });
    request.once('error', reject).end();
  });
