// A line to the daemon that is worse than loopback: long, thin, or with a proxy on it that knows no WebSockets.

import { once } from 'node:events';
import net from 'node:net';

/** Bytes that leave at once on a thin line. */
const PIECE = 1_024;

export class Line {
  #server;
  #sockets = new Map();

  /**
   * A port that leads to the daemon at `url`. `delay`: milliseconds each way. `rate`: bytes a second from the daemon, in each
   * connection. `refuse`: a pattern for the first line of requests that are answered with 502.
   */
  static async to(url, { delay = 0, rate = Infinity, refuse = null } = {}) {
    const line = new Line();
    const { hostname, port } = new URL(url);
    line.#server = net.createServer((near) => {
      const far = net.connect(Number(port), hostname);
      for (const socket of [near, far]) {
        line.#sockets.set(socket, '');
        socket.setNoDelay(true);
        socket.on('error', () => {});
        socket.once('close', () => {
          line.#sockets.delete(socket);
          near.destroy();
          far.destroy();
        });
      }
      carry(near, far, delay, Infinity, (head) => {
        if (/^GET /.test(head)) line.#sockets.set(near, head);
        if (!refuse?.test(head)) return true;
        near.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
        return false;
      });
      carry(far, near, delay, rate, () => true);
    });
    line.#server.listen(0, '127.0.0.1');
    await once(line.#server, 'listening');
    line.url = `http://127.0.0.1:${line.#server.address().port}`;
    return line;
  }

  /** Cuts the connections whose last request's first line is such a one. */
  cut(pattern) {
    for (const [socket, head] of this.#sockets) if (pattern.test(head)) socket.destroy();
  }

  async end() {
    for (const socket of this.#sockets.keys()) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** Takes what comes `from` one side to the other, in order, after the delay, and for a thin line in pieces. */
async function carry(from, to, delay, rate, lets) {
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  let tail = Promise.resolve();
  try {
    for await (const data of from) {
      if (!lets(data.toString('latin1', 0, 200).split('\r\n')[0])) return;
      const due = pause(delay);
      if (rate === Infinity) {
        tail = Promise.all([tail, due]).then(() => to.write(data));
        continue;
      }
      await due;
      for (let at = 0; at < data.length; at += PIECE) {
        to.write(data.subarray(at, at + PIECE));
        await pause((1_000 * PIECE) / rate);
      }
    }
    await tail;
  } catch {
    // One of the two has gone.
  }
  to.end();
}
