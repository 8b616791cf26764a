import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { ControlValues, differs, grouped, PAUSE_MS, rounded } from '../../../public/control-values.js';

const settle = () => new Promise((resolve) => setImmediate(resolve));
const LEVEL = { id: 'level', type: 'integer', default: 5, value: 5 };
const AUTO = { id: 'auto', type: 'boolean', default: true, value: true };
const panel = (level, auto = true) => ({ known: true, controls: [{ ...LEVEL, value: level }, { ...AUTO, value: auto }], notice: null });

/** Values whose server answers when the test says so, and whose clock goes when it says so. */
function create(context) {
  let now = 1000;
  context.mock.method(performance, 'now', () => now);
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const asked = [];
  const values = new ControlValues((method, settings) => new Promise((resolve) => {
    asked.push({ method, settings, answer: async (told) => { resolve(told); await settle(); } });
  }));
  values.hear(panel(5));
  const pass = async (ms) => {
    now += ms;
    context.mock.timers.tick(ms);
    await settle();
  };
  const shown = () => values.panel.controls.map((control) => values.shown(control));
  return { values, asked, pass, shown };
}

test('a slider that is dragged asks five times a second at most, and for the last value in any case', async (context) => {
  const { values, asked, pass, shown } = create(context);
  for (let level = 0; level < 100; level += 1) {
    values.set('level', level);
    assert.deepEqual(shown(), [level, true]);
    for (const { answer, settings } of asked.slice(-1)) await answer({ panel: panel(settings.level) });
    assert.deepEqual(shown(), [level, true], 'an answer to an earlier value does not move it back');
    await pass(10);
  }
  await pass(PAUSE_MS);
  const levels = asked.map(({ settings }) => settings.level);
  assert.ok(levels.length >= 4 && levels.length <= 7, levels.join());
  assert.equal(levels.at(-1), 99);
});

test('one request at a time, one control in each, and the newest wish for it', async (context) => {
  const { values, asked, pass } = create(context);
  values.set('level', 1);
  values.set('level', 2);
  values.set('auto', false);
  values.set('level', 3);
  await pass(10 * PAUSE_MS);
  assert.deepEqual(asked.map(({ settings }) => settings), [{ level: 1 }]);
  await asked[0].answer({ panel: panel(1) });
  await asked[1].answer({ panel: panel(1, false) });
  await pass(PAUSE_MS);
  assert.deepEqual(asked.map(({ method, settings }) => [method, settings]), [
    ['PATCH', { level: 1 }], ['PATCH', { auto: false }], ['PATCH', { level: 3 }],
  ]);
});

test('what is refused goes back to what the server has, with the reason beside that control only', async (context) => {
  const { values, asked, pass, shown } = create(context);
  values.set('level', 300);
  assert.deepEqual(shown(), [300, true]);
  await asked[0].answer({ problem: 'Too much.' });
  assert.deepEqual(shown(), [5, true]);
  assert.deepEqual([...values.problems], [['level', 'Too much.']]);
  await pass(PAUSE_MS);
  values.set('level', 6);
  assert.equal(values.problems.size, 0);
  await asked[1].answer({ panel: panel(6) });
  assert.deepEqual(shown(), [6, true]);
});

test('somebody else’s change is shown, but not in place of a wish that is under way', (context) => {
  const { values, shown } = create(context);
  values.hear(panel(7, false));
  assert.deepEqual(shown(), [7, false]);
  values.set('level', 8);
  values.hear(panel(1, true));
  assert.deepEqual(shown(), [8, true]);
});

test('a default is null on the wire, and all of them are asked for at once, after what is under way', async (context) => {
  const { values, asked, pass, shown } = create(context);
  values.hear(panel(9, false));
  values.set('level', null);
  assert.deepEqual(shown(), [5, false]);
  values.set('auto', false);
  values.reset();
  assert.deepEqual(shown(), [5, true]);
  await asked[0].answer({ panel: panel(5, false) });
  await pass(PAUSE_MS);
  assert.deepEqual(asked.map(({ method, settings }) => [method, settings]), [['PATCH', { level: null }], ['DELETE', undefined]]);
  await asked[1].answer({ problem: 'No.' });
  assert.deepEqual([shown(), [...values.problems]], [[5, false], [['', 'No.']]]);
});

test('every change is told', (context) => {
  const { values } = create(context);
  const heard = mock.fn();
  values.addEventListener('change', heard);
  values.set('level', 1);
  values.hear(panel(1));
  assert.equal(heard.mock.callCount(), 2);
});

test('groups come in their order, and unknown ones last', () => {
  const controls = [['a', 'new'], ['b', 'focus'], ['c', 'image'], ['d', 'other'], ['e', 'image']].map(([id, group]) => ({ id, group }));
  assert.deepEqual(grouped(controls).map(([heading, members]) => [heading, members.map(({ id }) => id).join('')]), [
    ['Image', 'ce'], ['Focus', 'b'], ['Other', 'ad'],
  ]);
});

test('only what has a default and can be set can be taken back', () => {
  assert.equal(differs(LEVEL, 6), true);
  assert.equal(differs(LEVEL, 5), false);
  assert.equal(differs({ ...LEVEL, read_only: true }, 6), false);
  assert.equal(differs({ id: 'go', default: null }, undefined), false);
  assert.equal(differs({ id: 'go' }, undefined), false);
});

test('numbers have no digits that nobody set', () => {
  assert.equal(rounded(0.1 + 0.2), 0.3);
  assert.equal(rounded(1_000_000), 1_000_000);
  assert.equal(rounded('33333'), 33333);
});
