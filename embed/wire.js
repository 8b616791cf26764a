/**
 * A connection by Socket.IO 4 over a WebSocket, to one camera. `hear(event, detail)` gets its events and also
 * `connected`, `refused` (detail: what the server says), and `closed`; nothing after these two or after `close()`.
 */
export class Wire {
  #socket;
  #prefix;
  #hear;
  #timer;
  #patience = 20_000;
  #answers = [];
  connected = false;

  constructor({ root, namespace }, hear) {
    this.#prefix = namespace && `${namespace},`;
    this.#hear = hear;
    this.#socket = new WebSocket(`${root.replace('http', 'ws')}socket.io/?EIO=4&transport=websocket`);
    this.#socket.onmessage = ({ data }) => this.#take(data);
    this.#socket.onclose = () => this.#end('closed');
    this.#wait();
  }

  say(event, answer) {
    const id = answer ? this.#answers.push(answer) - 1 : '';
    this.#socket.send(`42${this.#prefix}${id}["${event}"]`);
  }

  close() {
    clearTimeout(this.#timer);
    this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
  }

  #end(event, detail) {
    this.close();
    this.#hear(event, detail);
  }

  /** A server that is silent for longer than its pings allow has gone. */
  #wait() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#end('closed'), this.#patience);
  }

  #take(packet) {
    const [, kind, id, json] = /^(4?\d)(?:\/[^,]*,)?(\d*)(.*)/s.exec(packet);
    const data = json && JSON.parse(json);
    if (kind === '0') {
      this.#patience = data.pingInterval + data.pingTimeout;
      this.#socket.send(`40${this.#prefix}`);
    }
    this.#wait();
    if (kind === '2') this.#socket.send('3');
    if (kind === '40') {
      this.connected = true;
      this.#hear('connected');
    }
    if (kind === '41') this.#end('closed');
    if (kind === '42') this.#hear(...data);
    if (kind === '43') this.#answers[id]?.(data[0]);
    if (kind === '44') this.#end('refused', data);
  }
}
