import net from 'node:net';

/** An answer as its bytes came. */
export interface RawAnswer {
  readonly status: number;
  /** The lines of the head behind the first, in their order. */
  readonly lines: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** A connection on which requests are written as they are given, and answers read one by one. */
export interface RawConnection {
  write(text: string): void;
  /** The next answer, in the order of the connection; rejects when the connection ends before it is whole. */
  next(): Promise<RawAnswer>;
  /** Reads nothing until {@link resume}. */
  pause(): void;
  resume(): void;
  /** What came behind the last whole answer. */
  rest(): Buffer;
  readonly ended: Promise<void>;
  end(): void;
}

/** The text of a GET. */
export const getText = (path: string, lines: readonly string[] = [], version = '1.1'): string =>
  [`GET ${path} HTTP/${version}`, 'Host: views.example', ...lines, '', ''].join('\r\n');

export function rawConnection(base: string): RawConnection {
  const { hostname: host, port } = new URL(base);
  const socket = net.connect({ host, port: Number(port) });
  const answers: RawAnswer[] = [];
  const waiting: { resolve: (answer: RawAnswer) => void; reject: (error: Error) => void }[] = [];
  let got = Buffer.alloc(0);
  let isOver = false;
  const ended = new Promise<void>((resolve) =>
    socket.once('close', () => {
      isOver = true;
      for (const { reject } of waiting.splice(0)) reject(new Error('the connection ended'));
      resolve();
    }),
  );
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    got = Buffer.concat([got, chunk]);
    for (let found = take(got); found; found = take(got)) {
      got = got.subarray(found.bytes);
      const waiter = waiting.shift();
      if (waiter) waiter.resolve(found.answer);
      else answers.push(found.answer);
    }
  });
  return {
    write: (text) => void socket.write(text, 'latin1'),
    next: () =>
      new Promise((resolve, reject) => {
        const answer = answers.shift();
        if (answer) resolve(answer);
        else if (isOver) reject(new Error('the connection ended'));
        else waiting.push({ resolve, reject });
      }),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    rest: () => got,
    ended,
    end: () => void socket.destroy(),
  };
}

function take(bytes: Buffer): { readonly answer: RawAnswer; readonly bytes: number } | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  );
  const length = Number(headers['content-length'] ?? 0);
  const from = end + 4;
  if (bytes.length < from + length) return undefined;
  const answer = { status: Number(first.split(' ')[1]), lines, headers, body: bytes.subarray(from, from + length) };
  return { answer, bytes: from + length };
}
