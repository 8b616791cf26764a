// The real daemon, with a configuration and a run folder of its own, on a port that was free.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const BINARY = process.env.EYELID ?? path.join(ROOT, 'target/debug/eyelid');
/** Far longer than anything here takes: it only ends tests that fail. */
export const PATIENCE_MS = 90_000;

/** Waits until `check` returns something true, and returns that. `what` is said when it never does. */
export async function until(check, what, patience = PATIENCE_MS) {
  const end = Date.now() + patience;
  for (;;) {
    const result = await check();
    if (result) return result;
    if (Date.now() > end) throw new Error(`still waiting for this after ${patience / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Text of one `[[camera]]` entry. It is given up late, as a busy machine may take its time, unless the keys say when. */
export function camera(keys) {
  const patience = { start_timeout: '1m', stall_timeout: '1m' };
  const lines = Object.entries({ kind: 'pattern', size: '640x360', linger: '2s', ...patience, ...keys });
  return ['[[camera]]', ...lines.map(([key, value]) => `${key} = ${JSON.stringify(value)}`), ''].join('\n');
}

export class Daemon {
  #folder = mkdtempSync(path.join(tmpdir(), 'eyelid-page-'));
  // The rolling file wants a tmpfs.
  #run = mkdtempSync('/dev/shm/eyelid-page-');
  #process = null;
  #args;
  #listen = '127.0.0.1:0';
  log = [];

  static async start(config, ...args) {
    const daemon = new Daemon();
    daemon.configure(config);
    daemon.#args = args;
    await daemon.start();
    return daemon;
  }

  /** Writes its configuration, which it reads again while it runs. */
  configure(config) {
    writeFileSync(path.join(this.#folder, 'config.toml'), config);
  }

  /** Starts it, the second time on the port of the first. */
  async start() {
    const where = this.#args.includes('--listen') ? [] : ['--listen', this.#listen];
    const args = ['run', '--config', path.join(this.#folder, 'config.toml'), ...where, ...this.#args];
    this.#process = spawn(BINARY, args, {
      env: { PATH: process.env.PATH, HOME: this.#folder, XDG_RUNTIME_DIR: this.#run, RUST_BACKTRACE: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const bound = new Promise((resolve, reject) => {
      const hear = (line) => {
        this.log.push(line);
        const match = /listening on (https?):\/\/(\S+)/.exec(line);
        if (match) resolve(match.slice(1));
      };
      createInterface({ input: this.#process.stdout }).on('line', hear);
      createInterface({ input: this.#process.stderr }).on('line', hear);
      this.#process.once('error', reject);
      this.#process.once('exit', (code) => reject(new Error(`the daemon ended with ${code}:\n${this.log.join('\n')}`)));
    });
    const [scheme, listen] = await bound;
    this.#listen = listen;
    this.url = `${scheme}://${listen}`.replace('0.0.0.0', '127.0.0.1');
  }

  get pid() {
    return this.#process.pid;
  }

  async kill(signal = 'SIGKILL') {
    const { exitCode, signalCode } = this.#process;
    if (exitCode !== null || signalCode !== null) return;
    const exit = once(this.#process, 'exit');
    this.#process.kill(signal);
    await exit;
  }

  async end() {
    await this.kill('SIGTERM');
    for (const folder of [this.#folder, this.#run]) rmSync(folder, { recursive: true, force: true });
  }

  async state(name) {
    const answer = await fetch(`${this.url}/api/cameras/${name}`);
    return answer.json();
  }

  /** Process ids of its capture processes, as the kernel knows them. */
  captures() {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).filter((pid) => {
      try {
        const [, state, parent] = /\) (\S) (\d+) /.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'));
        if (Number(parent) !== this.pid || state === 'Z') return false;
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes('capture');
      } catch {
        return false;
      }
    }).map(Number);
  }

  /** The one capture process, once there is one. */
  async capture() {
    return until(() => this.captures().length === 1 && this.captures()[0], 'one capture process');
  }
}
