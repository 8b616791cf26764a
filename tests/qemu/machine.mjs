// A virtual machine with a disk that outlives it, whose port 3000 is one of this machine's.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { until as waitUntil } from '../browser/daemon.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
/** Emulation is slow, and may be so on a machine that is busy besides. */
const PATIENCE_MS = 600_000;

/** Waits until `check` returns something true, and returns that. `what` is said when it never does. */
export const until = (what, check) => waitUntil(check, what, PATIENCE_MS);

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

export class Machine {
  #folder = mkdtempSync('/var/tmp/eyelid-machine-');
  #process = null;
  #asked = 0;

  /** A machine of `arch` that has what guest.sh made in `guest` and the `packages` (files) in its /test. It is off. */
  static async make({ arch, guest, packages }) {
    const machine = new Machine();
    machine.arch = arch;
    machine.guest = guest;
    machine.port = await freePort();
    machine.url = `http://127.0.0.1:${machine.port}`;
    machine.share = path.join(machine.#folder, 'share');
    mkdirSync(machine.share);
    copyFileSync(path.join(HERE, 'hands.sh'), path.join(machine.share, 'run.sh'));
    for (const file of packages) copyFileSync(file, path.join(machine.share, path.basename(file)));
    const base = path.join(guest, 'guest.ext4');
    const disk = path.join(machine.#folder, 'disk.qcow2');
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', base, disk]);
    machine.disk = disk;
    // Nothing of it outlives the tests, whatever ends them.
    process.once('exit', () => machine.#remove());
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.once(signal, () => process.exit(1));
    return machine;
  }

  /** Switches it on; `words` go to the kernel. What it writes and does not flush is lost when it is cut off. */
  boot(words = '') {
    // What was asked of it before it went off is not asked again.
    for (const file of readdirSync(this.share)) if (/\.(ask|begun|said|code|part)$/.test(file)) rmSync(path.join(this.share, file));
    this.#process = spawn(
      path.join(HERE, 'machine.sh'),
      [this.arch, this.guest, this.share,
        '-drive', `file=${this.disk},format=qcow2,if=none,id=disk,cache=writeback`,
        '-netdev', `user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:${this.port}-:3000`, '-device', 'virtio-net-pci,netdev=net'],
      { env: { ...process.env, WORDS: words }, stdio: ['ignore', 'inherit', 'inherit'] },
    );
  }

  /** Cuts its power off. */
  async cut() {
    const ended = this.#process.exitCode === null && this.#process.signalCode === null && once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
  }

  /** Runs a script of bash in it as root, once it has started; returns what that printed. Throws when it fails. */
  async run(script) {
    const name = `${process.pid}-${(this.#asked += 1)}`;
    const file = (ending) => path.join(this.share, `${name}.${ending}`);
    writeFileSync(file('part'), script);
    renameSync(file('part'), file('ask'));
    await until(`the machine has done: ${script}`, () => {
      if (this.#process.exitCode !== null) throw new Error('the machine has ended');
      return existsSync(file('code'));
    });
    const said = readFileSync(file('said'), 'utf8');
    const code = readFileSync(file('code'), 'utf8').trim();
    if (code !== '0') throw new Error(`in the machine this ended with code ${code}: ${script}\n${said}`);
    return said.trim();
  }

  #remove() {
    this.#process?.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
