// Who comes to the machine from outside: by HTTP, and as the page does by Socket.IO.

import assert from 'node:assert/strict';

import { io } from 'socket.io-client';

import { until } from './machine.mjs';

/** Long enough for an emulated machine, and an end for what a machine that is cut off will never answer. */
const ANSWER_MS = 60_000;

export class Visitor {
  /** `headers` tell who it is. */
  constructor(url, headers = {}) {
    this.url = url;
    this.headers = headers;
  }

  /** `{status, headers, body}`; the body is read as JSON where it is that. */
  async ask(method, path, json) {
    const answer = await fetch(this.url + path, {
      method,
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_MS),
      headers: { ...this.headers, ...(json && { 'Content-Type': 'application/json' }) },
      body: json && JSON.stringify(json),
    });
    const isJson = answer.headers.get('content-type')?.startsWith('application/json');
    const bytes = Buffer.from(await answer.arrayBuffer());
    return { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(bytes.toString()) : bytes };
  }

  /** The JSON of an answer that has to be 200. */
  async get(path) {
    return this.done('GET', path);
  }

  async done(method, path, json) {
    const { status, body } = await this.ask(method, path, json);
    assert.equal(status, 200, `${method} ${path}: ${JSON.stringify(body)}`);
    return body;
  }

  /** Takes the cookie of an answer for its own. */
  keep(answer) {
    this.headers = { ...this.headers, cookie: answer.headers.get('set-cookie').split(';')[0] };
  }
}

/** A page that watches: it asks for each picture that it is told of. It comes again by itself, as a page does. */
export class Page {
  pictures = [];
  wrong = [];
  state = null;

  constructor(visitor) {
    this.visitor = visitor;
    this.socket = io(visitor.url, { forceNew: true, extraHeaders: visitor.headers, reconnectionDelayMax: 1000 });
    this.socket.on('connect', () => this.socket.emit('start-stream'));
    this.socket.on('state', (state) => (this.state = state));
    let busy = false;
    this.socket.on('liveStream', async (url) => {
      if (busy) return;
      busy = true;
      try {
        await this.#fetch(url);
      } catch {
        // The machine is away, as it is meant to be at times. Then there is no picture, which is noticed.
      }
      busy = false;
    });
  }

  async #fetch(url) {
    const { status, body } = await this.visitor.ask('GET', `/${url}`);
    const whole = status === 200 && body.readUInt16BE(0) === 0xffd8 && body.readUInt16BE(body.length - 2) === 0xffd9;
    if (whole) this.pictures.push(Number(url.split('=')[1]));
    else this.wrong.push(`${url}: ${status}, ${body.length} bytes`);
  }

  /** Waits for `count` pictures that were announced from now on. */
  async sees(count = 3) {
    const already = this.pictures.length;
    await until(`${count} pictures, state ${JSON.stringify(this.state)}`, () => this.pictures.length > already + count);
  }

  leave() {
    this.socket.disconnect();
  }
}
