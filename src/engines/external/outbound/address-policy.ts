import { BlockList, isIP } from 'node:net';

type Network = readonly [network: string, bits: number];

/** IPv4 that is not a server on the public internet (IANA special-purpose registry, RFC 6890, and addresses of clouds). */
const CLOSED_4: readonly Network[] = [
  ['0.0.0.0', 8], // "this host"; Linux connects it to loopback
  ['10.0.0.0', 8],
  ['100.64.0.0', 10], // carriers (RFC 6598), and metadata of some clouds
  ['127.0.0.0', 8],
  ['168.63.129.16', 32], // platform services of Azure, on every machine there
  ['169.254.0.0', 16], // link-local, and metadata of most clouds
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24], // documentation
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24], // 6to4 relays
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15], // benchmarks
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, and broadcast
];

/** The only IPv6 that is public: global unicast, and IPv4 behind NAT64 (RFC 6052). All else, mapped IPv4 included, is closed. */
const OPEN_6: readonly Network[] = [
  ['2000::', 3],
  ['64:ff9b::', 96],
];

/** What is not public inside of that. */
const CLOSED_6: readonly Network[] = [
  ['2001::', 23], // protocols: Teredo, ORCHID, benchmarks
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4
  ['2620:4f:8000::', 48],
  ['3fff::', 20], // documentation
  ...CLOSED_4.map(([network, bits]): Network => [`64:ff9b::${network}`, 96 + bits]),
];

/**
 * Which addresses may be connected to: those of the public internet, and the networks that the operator allows.
 * IPv4 and IPv6 are kept in lists of their own: in a common one `::/0` would hold all of IPv4 too.
 */
export class AddressPolicy {
  private readonly allowed4: BlockList;
  private readonly allowed6: BlockList;

  /** @param allowed networks such as `10.0.0.0/8`, or single addresses; well-formed */
  constructor(allowed: readonly string[]) {
    const networks = allowed.map(networkOf);
    this.allowed4 = listOf(networks.filter(([address]) => isIP(address) === 4));
    this.allowed6 = listOf(networks.filter(([address]) => isIP(address) === 6));
  }

  /** False as well for what is not an address, or is one of an interface (`fe80::1%eth0`). */
  permits(address: string): boolean {
    const family = address.includes('%') ? 0 : isIP(address);
    if (family === 4) return this.allowed4.check(address, 'ipv4') || !closed4.check(address, 'ipv4');
    if (family !== 6) return false;
    if (this.allowed6.check(address, 'ipv6')) return true;
    return open6.check(address, 'ipv6') && !closed6.check(address, 'ipv6');
  }
}

function networkOf(text: string): Network {
  const [address = '', bits] = text.split('/');
  return [address, bits === undefined ? (isIP(address) === 6 ? 128 : 32) : Number(bits)];
}

function listOf(networks: readonly Network[]): BlockList {
  const list = new BlockList();
  for (const [network, bits] of networks) list.addSubnet(network, bits, isIP(network) === 6 ? 'ipv6' : 'ipv4');
  return list;
}

const closed4 = listOf(CLOSED_4);
const open6 = listOf(OPEN_6);
const closed6 = listOf(CLOSED_6);
