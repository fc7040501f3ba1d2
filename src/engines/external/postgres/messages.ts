const HEAD = 5;
const ERROR = 'E'.charCodeAt(0);
const NOTICE = 'N'.charCodeAt(0);

/**
 * Reads along which messages come (manual 54.7: a type, a length that counts itself, a body), whatever chunks they come in.
 * What this throws over never reaches the driver: it reads the fields of an error or a notice up to a zero in the place of a field, and
 * where there is none it reads forever, and nothing else of this process runs any more.
 */
export function messageReader(onMessage: () => void): (chunk: Buffer) => void {
  const head = Buffer.alloc(HEAD);
  let inHead = 0;
  let left = 0;
  /** The last two bytes of a body; at its start, those of an empty list of fields. */
  let [before, last] = [0, 0];
  const begin = (): void => {
    const length = head.readUInt32BE(1);
    if (length < 4) throw new Error('a message that is shorter than its length');
    onMessage();
    left = length - 4;
    [before, last] = [0, -1];
  };
  const end = (): void => {
    inHead = 0;
    if ((head[0] === ERROR || head[0] === NOTICE) && (before !== 0 || last !== 0))
      throw new Error('a message whose fields do not end');
  };
  return (chunk) => {
    for (let at = 0; at < chunk.length;) {
      if (inHead < HEAD) {
        head[inHead++] = chunk[at++] ?? 0;
        if (inHead < HEAD) continue;
        begin();
      } else {
        const taken = Math.min(left, chunk.length - at);
        before = taken > 1 ? (chunk[at + taken - 2] ?? 0) : Math.max(0, last);
        last = chunk[at + taken - 1] ?? 0;
        at += taken;
        left -= taken;
      }
      if (left === 0) end();
    }
  };
}
