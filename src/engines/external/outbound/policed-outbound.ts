import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { Problem } from '../../../common/index.js';
import type { Outbound } from '../external-engine.js';
import type { AddressPolicy } from './address-policy.js';
import { JudgedSocket } from './judged-socket.js';

/** All addresses of a name. */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

/** Letters and digits of any script (names are turned into ASCII by the resolver); no path, no zone, no brackets, nothing else. */
const HOST = /^[\p{L}\p{M}\p{N}._:-]{1,253}$/u;

/** As the operating system resolves: decimal, octal and hexadecimal forms of addresses (`2130706433`, `0x7f.1`) included. */
const bySystem: Resolve = (host) => promisify(systemLookup)(host, { all: true });

/**
 * The {@link Outbound} of this server. All refusals are one Problem with one text: whether a name leads to a closed network,
 * partly or wholly, cannot be told apart, so that networks behind this server cannot be scanned.
 */
export class PolicedOutbound implements Outbound {
  constructor(
    private readonly policy: AddressPolicy,
    private readonly resolve: Resolve = bySystem,
  ) {}

  socket(): Socket {
    return new JudgedSocket({ refusal: (host) => this.refusalOfText(host), lookup: this.lookup });
  }

  readonly lookup: LookupFunction = (host, options, done) => {
    this.addressesOf(host).then(
      (found) => {
        const { family } = options;
        const wanted = found.filter(
          (one) => family === undefined || family === 0 || family === one.family || family === `IPv${one.family}`,
        );
        const [first] = wanted;
        if (!first) done(noSuchName(), '');
        else if (options.all) done(null, wanted);
        else done(null, first.address, first.family);
      },
      (error: unknown) => {
        done(error as Error, '');
      },
    );
  };

  async judge(host: string): Promise<void> {
    await this.addressesOf(host);
  }

  /** The addresses of a host, when each of them is permitted: one that is not spoils the name, whichever would be tried first. */
  private async addressesOf(host: string): Promise<LookupAddress[]> {
    const refusal = this.refusalOfText(host);
    if (refusal) throw refusal;
    const family = isIP(host);
    const found = family === 0 ? await this.resolved(host) : [{ address: host, family }];
    if (found.length === 0) throw noSuchName();
    if (!found.every(({ address }) => this.policy.permits(address))) throw refused();
    return [...found];
  }

  private async resolved(host: string): Promise<readonly LookupAddress[]> {
    try {
      return await this.resolve(host);
    } catch (cause) {
      throw noSuchName(cause);
    }
  }

  private refusalOfText(host: string): Problem | undefined {
    const fine = HOST.test(host) && (isIP(host) === 0 || this.policy.permits(host));
    return fine ? undefined : refused();
  }
}

const refused = () => new Problem('host_not_allowed');

const noSuchName = (cause?: unknown) =>
  new Problem('source_unreachable', { detail: 'There is no host of this name.', cause });
