// The service as it is installed and lived with, seen from outside of its machine: set up, watched, killed, started anew, at the
// wrong time, and without power. outside.sh runs it. Each test goes on where the one before has ended.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Machine, until } from './machine.mjs';
import { Page, Visitor } from './visitor.mjs';

const { ARCH: arch, GUEST: guest, PACKAGES: packages, CUTS: cuts } = process.env;
const PASSWORD = 'a heron at the pond';

/** Small pictures, and time to make them; everything else is as it is installed. The camera is there at each start. */
const PREPARE = `
  echo vivid > /etc/modules-load.d/camera.conf
  echo options vivid n_devs=1 num_inputs=1 input_types=0 node_types=0x1 > /etc/modprobe.d/camera.conf
  modprobe vivid
  mkdir -p /etc/systemd/system/eyelid.service.d
  printf '[Service]\\nTimeoutStartSec=300\\nTimeoutStopSec=120\\nWatchdogSec=300\\n' > /etc/systemd/system/eyelid.service.d/patient.conf
  printf '[Unit]\\nWants=eyelid.service systemd-networkd.service\\n' > /etc/systemd/system/quick.target
  systemctl daemon-reload
  sync`;
const CONFIGURE = `
  sed -i 's/^size = .*/size = "320x180"/; s/^interval = .*/interval = "1s"/;
    s/^start_timeout = .*/start_timeout = "2m"/; s/^stall_timeout = .*/stall_timeout = "2m"/' /etc/eyelid/config.toml
  systemctl restart eyelid
  sync`;
const CAPTURE = `grep -vx "$(systemctl show -P MainPID eyelid)" /sys/fs/cgroup/system.slice/eyelid.service/cgroup.procs`;

let machine;
let owner;
/** A program with an app password, which no clock takes from it; and what it watches with. */
let program;
let page;

before(async () => {
  machine = await Machine.make({ arch, guest, packages: packages.split(' ') });
  machine.boot();
});

after(async () => {
  page?.leave();
  await machine.cut();
});

/** Until the service answers from outside. */
const answers = () =>
  until('the service answers', async () => {
    const answer = await new Visitor(machine.url).ask('GET', '/healthz').catch(() => null);
    return answer?.status === 200;
  });

const property = (name) => machine.run(`systemctl show -P ${name} eyelid`);

test('the packages are installed, and the last line says where to set it up', async (t) => {
  await machine.run(PREPARE);
  const said = await machine.run('apt-get install -y /test/*.deb 2>&1');
  const [, code] = /http:\/\/\S+:3000\/setup#(\S+)$/.exec(said) ?? assert.fail(said);
  t.diagnostic(await machine.run('uname -a; eyelid --version'));
  await machine.run(CONFIGURE);
  await answers();
  const nobody = new Visitor(machine.url);
  assert.equal((await nobody.ask('GET', '/image_stream.jpg')).status, 401);
  // The code was of the service that was installed; the one that runs now has another.
  assert.equal((await nobody.ask('POST', '/api/setup', { code, password: PASSWORD })).status, 401);
});

test('the service is active in its sandbox', async () => {
  assert.equal(await property('ActiveState'), 'active');
  const pid = await property('MainPID');
  const status = await machine.run(`grep -E '^(Seccomp|NoNewPrivs|CapEff):' /proc/${pid}/status | tr -s '\\t' ' '`);
  assert.deepEqual(status.split('\n').sort(), ['CapEff: 0000000000000000', 'NoNewPrivs: 1', 'Seccomp: 2']);
  assert.notEqual(await machine.run(`stat -c %u /proc/${pid}`), '0');
});

test('its owner chooses a password from outside', async () => {
  const link = await machine.run('eyelid setup');
  const [, code] = /\/setup#(\S+)/.exec(link) ?? assert.fail(link);
  owner = new Visitor(machine.url);
  const answer = await owner.ask('POST', '/api/setup', { code, password: PASSWORD });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  owner.keep(answer);
  assert.equal((await owner.get('/api/access')).who, 'owner');
  const { password } = await owner.done('POST', '/api/apps', { name: 'page' });
  program = new Visitor(machine.url, { authorization: `Basic ${Buffer.from(`page:${password}`).toString('base64')}` });
});

test('the page and the camera of the kernel are seen from outside', async (t) => {
  assert.match((await program.get('/')).toString(), /<title>/);
  page = new Page(program);
  await page.sees();
  assert.equal(page.state.source.kind, 'v4l2');
  assert.match(page.state.source.device, /vivid/);
  t.diagnostic(`${page.state.source.device}, ${page.state.fps} pictures a second`);
});

test('nobody looks, and the camera is off', async () => {
  page.leave();
  await until('the camera is off', async () => (await program.get('/api/cameras/camera')).state === 'idle');
  await assert.rejects(machine.run(CAPTURE));
  page = new Page(program);
  await page.sees();
});

test('a capture that is killed comes again for who watches', async () => {
  const pid = await machine.run(CAPTURE);
  await machine.run(`kill -KILL ${pid}`);
  await page.sees();
  assert.notEqual(await machine.run(CAPTURE), pid);
  assert.equal(await property('NRestarts'), '0');
});

test('the daemon that is killed comes again for who watches', async () => {
  await machine.run('kill -KILL "$(systemctl show -P MainPID eyelid)"');
  await until('systemd has started it', async () => (await property('NRestarts')) === '1');
  await page.sees();
  assert.equal((await owner.get('/api/access')).who, 'owner');
});

for (const step of ['+1 year', '-2 years', '+1 year']) {
  test(`a clock that is set by ${step} is nothing to who watches`, async () => {
    const pid = await property('MainPID');
    const now = await machine.run(`date -s '${step}' +%F`);
    await page.sees(5);
    // Longer than the longest time that the daemon gives itself for a sign of life of a viewer.
    await sleep(15_000);
    await page.sees();
    assert.equal(await property('MainPID'), pid, now);
    assert.equal(page.state.state, 'live', now);
    const again = new Visitor(machine.url);
    again.keep(await again.ask('POST', '/api/login', { password: PASSWORD }));
    assert.equal((await again.get('/api/access')).who, 'owner', now);
    owner = again;
  });
}

test('after a reboot it is there again for who watches', async () => {
  // In a moment, when it has answered.
  await machine.run('systemd-run --quiet --on-active=1 systemctl reboot');
  await until('the page has lost it', () => !page.socket.connected);
  await page.sees();
  assert.equal(page.state.source.kind, 'v4l2');
  assert.equal((await owner.get('/api/access')).who, 'owner');
});

test('no picture was torn', () => assert.deepEqual(page.wrong, []));

/** What was asked for and answered, and what was asked for when the power went. */
const kept = { apps: [], asked: null, brightness: [0, 0] };

async function makeApps() {
  for (;;) {
    if (kept.apps.length < 5) {
      kept.asked = { made: `cut-${Date.now()}` };
      const { id } = await owner.done('POST', '/api/apps', { name: kept.asked.made });
      kept.apps.push({ id, name: kept.asked.made });
    } else {
      kept.asked = { gone: kept.apps[0].id };
      await owner.done('DELETE', `/api/apps/${kept.asked.gone}`);
      kept.apps.shift();
    }
    kept.asked = null;
  }
}

async function setBrightness() {
  for (;;) {
    const brightness = kept.brightness[1] + 1;
    kept.brightness[1] = brightness;
    await owner.done('PATCH', '/api/cameras/camera/controls', { brightness: brightness % 256 });
  }
}

test(`the power fails ${cuts} times while it writes, and it has what it has said to have`, async (t) => {
  page.leave();
  await machine.run('sync');
  let changes = 0;
  for (let cut = 0; cut <= Number(cuts); cut += 1) {
    await machine.cut();
    machine.boot(cut === Number(cuts) ? '' : 'systemd.unit=quick.target');
    await answers();
    // Not signed in any more, or without what was there, and a file was lost.
    assert.equal((await owner.get('/api/access')).who, 'owner', `cut ${cut}`);
    const { apps } = await owner.get('/api/apps');
    const names = apps.map(({ name }) => name).filter((name) => name !== 'page');
    const before = kept.apps.map(({ name }) => name);
    const { made, gone } = kept.asked ?? {};
    const after = made ? [...before, made] : kept.apps.filter(({ id }) => id !== gone).map(({ name }) => name);
    assert.ok([before, after].some((old) => old.join() === names.join()), `cut ${cut}: ${names}, not ${before} or ${after}`);
    kept.apps = apps.filter(({ name }) => name !== 'page');
    kept.asked = null;

    assert.equal((await program.ask('GET', '/snapshot.jpg')).status, 200);
    const { controls } = await owner.get('/api/cameras/camera/controls');
    const { value } = controls.find(({ id }) => id === 'brightness');
    const [old, last] = kept.brightness;
    const could = Array.from({ length: last - old + 1 }, (_, i) => old + i);
    const now = could.find((brightness) => brightness % 256 === value);
    assert.ok(now !== undefined || cut === 0, `cut ${cut}: brightness ${value}, not one of ${old} to ${last}`);
    if (cut === Number(cuts)) break;

    // From a value of its own, so that what is kept tells what was written last.
    kept.brightness = cut === 0 ? [value, value] : [now, now];
    const writing = Promise.allSettled([makeApps(), setBrightness()]);
    await sleep(500 + Math.random() * 6000);
    changes += kept.brightness[1] - kept.brightness[0];
    await Promise.all([machine.cut(), writing]);
  }
  t.diagnostic(`${changes} changes of the brightness were asked for`);
});

test('nothing of what it keeps was unreadable', async () => {
  const files = await machine.run('find /var/lib/private/eyelid -type f');
  assert.match(files, /access\.json/);
  assert.match(files, /controls\.json/);
  assert.doesNotMatch(files, /\.bad/);
  page = new Page(program);
  await page.sees();
});
