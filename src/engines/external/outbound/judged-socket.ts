import { Socket, type LookupFunction } from 'node:net';

/** What a {@link JudgedSocket} asks before it connects. */
export interface Judgement {
  /** @returns why the host cannot be connected to, as far as its text tells; names are judged by `lookup` */
  refusal(host: string): Error | undefined;
  readonly lookup: LookupFunction;
}

interface Place {
  readonly host: string;
  readonly port: number;
}

/**
 * A socket that connects only where it is allowed to: addresses are judged as they are, names through the lookup, whose addresses are
 * then the ones that are connected to. Only TCP to a host and port; all other ways (a path, a file descriptor, no host) are refused.
 */
export class JudgedSocket extends Socket {
  constructor(private readonly judgement: Judgement) {
    super();
  }

  override connect(...given: unknown[]): this {
    const [place, listener] = placeOf(given);
    const refusal = this.judgement.refusal(place?.host ?? '');
    if (place && !refusal) super.connect({ ...place, lookup: this.judgement.lookup }, listener);
    else this.fail(refusal ?? new TypeError('a judged socket connects to a host and port'));
    return this;
  }

  /** As a name that cannot be found fails: drivers know what to do with that, and not with a socket that is closed before they look at it. */
  private fail(refusal: Error): void {
    super.connect({ host: 'refused', port: 1, lookup: (_host, _options, done) => done(refusal, '') });
  }
}

/** The arguments of `net.Socket.connect` that name a host and port, and the listener behind them. */
function placeOf(given: readonly unknown[]): readonly [Place | undefined, (() => void) | undefined] {
  const last = given.at(-1);
  const listener = typeof last === 'function' ? (last as () => void) : undefined;
  const [first, second] = given;
  const named: Partial<Place> | null =
    typeof first === 'object' ? first : { port: first as number, host: second as string };
  // Drivers hand over ports as texts too. A text that is no number is the path of a socket file.
  const [host, port] = [named?.host, Number(named?.port)];
  const there = typeof host === 'string' && Number.isInteger(port) && !(named && 'path' in named && named.path);
  return [there ? { host, port } : undefined, listener];
}
