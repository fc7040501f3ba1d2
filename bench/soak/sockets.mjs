/** People whose sockets come and go in every way that sockets can, and who must miss nothing all the same. */
import { io } from 'socket.io-client';

/** A machine that is shared may take its time; what is slow is not lost. */
const ANSWER_MS = 60_000;

export function connect(base, token, transports = ['websocket']) {
  const socket = io(base, { transports, forceNew: true, reconnection: false, auth: { token } });
  return new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(socket));
    socket.once('connect_error', (error) => {
      socket.close();
      reject(error);
    });
    // Cut between the transport's handshake and the server's answer: that is no connect_error.
    socket.once('disconnect', (reason) => reject(new Error(reason)));
  });
}

/** Ways to leave: said, cut (the peer sees the end of the connection), and silent (nothing is read or answered any more, until the server gives up). */
export const LEAVE = {
  said: (socket) => socket.close(),
  cut: (socket) => wire(socket).destroy(),
  silent: (socket, random) => {
    const raw = wire(socket);
    raw.pause();
    socket.removeAllListeners();
    // No pong is sent, since no ping is read; the server cuts it after 45 s, or what is left of a shorter run does.
    setTimeout(() => raw.destroy(), random.int(5, 60) * 1_000).unref();
  },
};

/** The TCP connection under a socket that speaks WebSocket. */
const wire = (socket) => socket.io.engine.transport.ws._socket;

/** Follows one channel through all that, from the number that it has, on one node and another. */
export class Follower {
  position;
  events = 0;
  connects = 0;
  resets = {};
  flaws = [];
  /** Set when nothing is written any more: epoch and number that it has to reach before it ends; null where it may just end. */
  head;

  /**
   * @param every whether each number comes by itself, or several as one event
   * @param mayReset reasons for which it may have to begin anew
   */
  constructor({ name, bases, token, channel, every, mayReset, random }) {
    Object.assign(this, { name, bases, token, channel, every, mayReset, random });
  }

  async follow(signal) {
    while (!signal.aborted && !this.caughtUp()) {
      try {
        const socket = await connect(this.random.pick(this.bases), await this.token());
        this.connects++;
        await this.visit(socket, signal);
      } catch (error) {
        // The structure is being changed: a client is told to come again.
        if (error.code !== 'conflict') this.flaws.push(`${this.name}: ${error.message}`);
        await pause(500);
      }
    }
  }

  caughtUp() {
    if (!this.head) return this.head === null;
    return this.position?.epoch === this.head.epoch && this.position.seq >= this.head.seq;
  }

  /** Whatever happens there, the socket is left, and nothing that it still brings is looked at. */
  async visit(socket, signal) {
    let here = true;
    socket.once('disconnect', () => (here = false));
    try {
      await this.stay(socket, signal, () => here);
    } finally {
      here = false;
      const way = socket.connected ? this.random.pick(['said', 'cut', 'silent']) : 'said';
      LEAVE[way](socket, this.random);
    }
  }

  async stay(socket, signal, isHere) {
    const take = (event) => isHere() && event.channel === this.channel && this.take(event);
    socket.on('data:update', take);
    socket.on('schema:update', take);
    socket.on('control', ({ type, channel, reason }) => {
      if (!isHere() || channel !== this.channel || type !== 'reset') return;
      this.reset(reason);
    });
    await this.subscribe(socket);
    if (this.random.next() < 0.3) {
      const state = { mode: this.random.pick(['viewing', 'editing']) };
      await socket.timeout(ANSWER_MS).emitWithAck('presence', { channel: this.channel, state });
    }
    const until = Date.now() + this.random.int(1, 15) * 1_000;
    while ((Date.now() < until || this.head) && !signal.aborted && socket.connected && !this.caughtUp()) {
      if (this.position === undefined) await this.subscribe(socket);
      await pause(50);
    }
  }

  subscribe(socket) {
    const message = { channel: this.channel, ...(this.position ? { from: this.position } : {}) };
    return new Promise((resolve, reject) => {
      // Not a promise of the answer: events that come with it in one piece must not be looked at before.
      socket.timeout(ANSWER_MS).emit('subscribe', message, (error, answer) => {
        if (error) return reject(error);
        if (answer.error) return reject(Object.assign(new Error(JSON.stringify(answer.error)), answer.error));
        if (answer.mode === 'reset') {
          this.reset(answer.reason);
          return resolve(this.subscribe(socket));
        }
        this.position ??= { epoch: answer.epoch, seq: answer.seq };
        resolve();
      });
    });
  }

  take({ epoch, seq, prev }) {
    const at = this.position;
    if (at && (epoch !== at.epoch || prev !== at.seq || (this.every && seq !== at.seq + 1)))
      this.flaws.push(`${this.name}: ${prev} → ${seq} behind ${at.seq}`);
    this.position = { epoch, seq };
    this.events++;
  }

  /** It would read everything again now; here it goes on from wherever the feed is. */
  reset(reason) {
    this.resets[reason] = (this.resets[reason] ?? 0) + 1;
    if (!this.mayReset.includes(reason)) this.flaws.push(`${this.name}: reset, ${reason}`);
    this.position = undefined;
  }
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
