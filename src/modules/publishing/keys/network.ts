import { BlockList, isIP } from 'node:net';

/** Whether it is an address, or a network in CIDR notation. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const width = isIP(address) === 6 ? 128 : 32;
  return (
    rest.length === 0 &&
    isIP(address) !== 0 &&
    !address.includes('%') &&
    (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= width))
  );
}

/** Whether an address lies in one of the networks; IPv4 in IPv6 is IPv4. */
export function networkList(networks: readonly string[]): (ip: string) => boolean {
  const lists = { 4: new BlockList(), 6: new BlockList() } as const;
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    if (isIP(address) === 6) lists[6].addSubnet(address, Number(bits ?? 128), 'ipv6');
    else lists[4].addSubnet(address, Number(bits ?? 32), 'ipv4');
  }
  return (ip) => {
    const plain = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1] ?? ip;
    if (isIP(plain) === 4) return lists[4].check(plain, 'ipv4');
    return isIP(plain) === 6 && !plain.includes('%') && lists[6].check(plain, 'ipv6');
  };
}
