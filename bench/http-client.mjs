/**
 * The least that can ask an HTTP/1.1 server again and again: one socket, one request at a time, answers told apart by
 * Content-Length. What the generator costs is on both sides of a ratio and would bring it nearer to 1, so it has to cost little.
 */
import net from 'node:net';

const HEAD_END = Buffer.from('\r\n\r\n');

export function connect(base) {
  const { hostname, port } = new URL(base);
  const socket = net.connect({ host: hostname, port: Number(port), noDelay: true });
  let waiting;
  let answer;
  let got = 0;
  const fail = (error) => {
    const { reject } = waiting ?? {};
    waiting = undefined;
    reject?.(error ?? new Error('the server closed the connection'));
  };
  socket.on('error', fail);
  socket.on('close', () => fail());
  socket.on('data', (chunk) => {
    if (!answer) {
      const end = chunk.indexOf(HEAD_END);
      if (end < 0) return fail(new Error('an answer whose head comes in pieces'));
      const head = chunk.latin1Slice(0, end);
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      answer = {
        status: Number(head.slice(9, 12)),
        head,
        length,
        parts: waiting.keep ? [chunk.subarray(end + 4)] : undefined,
      };
      got = chunk.length - end - 4;
    } else {
      got += chunk.length;
      answer.parts?.push(chunk);
    }
    if (got < answer.length) return;
    const { resolve } = waiting;
    const done = answer;
    waiting = answer = undefined;
    resolve(done);
  });
  return {
    /** Sends a request made by {@link request}; gives status and length, and the body where `keep` is asked for. */
    send: (bytes, keep = false) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject, keep };
        socket.write(bytes);
      }),
    close: () => socket.destroy(),
  };
}

/** The bytes of a request; `more` are further header lines. */
export function request(method, path, token, body, more = []) {
  const payload = body === undefined ? '' : JSON.stringify(body);
  return [
    `${method} ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    ...(token ? [`Authorization: Bearer ${token}`] : []),
    ...more,
    ...(body === undefined ? [] : ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(payload)}`]),
    '',
    payload,
  ].join('\r\n');
}

/** One request and its answer, parsed; throws at anything but a 2xx. */
export async function call(base, method, path, token, body) {
  const client = connect(base);
  try {
    const { status, parts } = await client.send(
      request(method, path, token, body).replace('Host:', 'Connection: keep-alive\r\nHost:'),
      true,
    );
    const text = Buffer.concat(parts).toString();
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text.slice(0, 500)}`);
    return text === '' ? undefined : JSON.parse(text);
  } finally {
    client.close();
  }
}
