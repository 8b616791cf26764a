import assert from 'node:assert/strict';
import { test } from 'node:test';
import { briefly, DAY, dayName, hours, HOUR, inWords, label, line, marks, reach, rows, startOfDay, sum } from '../../../public/ledger-text.js';

const MINUTE = 60_000;
const NOON = new Date(2026, 10, 12, 12).getTime();
const MIDNIGHT = new Date(2026, 10, 12).getTime();
const stretch = (from, minutes, more = {}) => ({
  from, to: from + minutes * MINUTE, on_ms: minutes * MINUTE, viewers: 1, why: 'a viewer came', ended: 'nobody watches', ...more,
});
const lasting = (from, on_ms) => stretch(from, 0, { to: null, on_ms, ended: null });
const lost = (from) => stretch(from, 0, { to: null, on_ms: null, viewers: null, ended: 'not known' });
const today = (stretches, given = {}) => sum(stretches, { from: MIDNIGHT, now: NOON, ...given });
const en = { locale: 'en-GB' };

test('the day begins at the midnight of who looks', () => {
  assert.equal(startOfDay(NOON), MIDNIGHT);
  assert.equal(startOfDay(MIDNIGHT), MIDNIGHT);
  assert.equal(reach(NOON), NOON - DAY);
});

test('what is of today is added up, and what reaches over midnight is cut there', () => {
  const yesterday = stretch(MIDNIGHT - HOUR, 30);
  const over = stretch(MIDNIGHT - 10 * MINUTE, 15);
  const both = [stretch(MIDNIGHT + HOUR, 5), stretch(NOON - HOUR, 4)];
  assert.deepEqual(today([yesterday, over, ...both]), { on: 14 * MINUTE, times: 3, unknown: 0, cut: false });
  assert.deepEqual(today([yesterday]), { on: 0, times: 0, unknown: 0, cut: false });
  assert.equal(today([]).times, 0);
});

test('a clock that was set does not change how long it was on', () => {
  const set = stretch(NOON - HOUR, 50, { on_ms: 2 * MINUTE });
  assert.equal(today([set]).on, 2 * MINUTE);
  // Ended, by the clock, before it began.
  const back = stretch(NOON - HOUR, 3, { to: NOON - 2 * HOUR });
  assert.deepEqual(today([back]), { on: 3 * MINUTE, times: 1, unknown: 0, cut: false });
});

test('a stretch that lasts counts until now, since midnight at most', () => {
  const told = NOON - 20_000;
  assert.equal(today([lasting(NOON - 5 * MINUTE, 5 * MINUTE - 20_000)], { told }).on, 5 * MINUTE);
  assert.equal(today([lasting(MIDNIGHT - HOUR, 13 * HOUR)]).on, 12 * HOUR);
});

test('an end that nobody knows is counted, and not guessed', () => {
  const all = today([lost(MIDNIGHT - HOUR), lost(NOON - HOUR), stretch(NOON - MINUTE, 1)]);
  assert.deepEqual(all, { on: MINUTE, times: 2, unknown: 1, cut: false });
  assert.equal(line(all), 'On for at least 1 minute today, twice');
  for (const all of [[lost(NOON)], [lost(NOON - HOUR), stretch(NOON - HOUR, 0.5)]]) assert.match(line(today(all)), /^On today, (once|twice); for how long is not known$/);
});

test('a thousand stretches may be more', () => {
  const many = Array.from({ length: 1000 }, (_, i) => stretch(MIDNIGHT + HOUR + i * 30_000, 0.25));
  assert.equal(line(today(many)), 'On for at least 4 h 10 min today, more than 1000 times');
  const since = stretch(MIDNIGHT - HOUR, 1);
  assert.equal(today([since, ...many.slice(1)]).cut, false);
  assert.equal(marks(many, NOON).length < 720, true);
  assert.match(label(many, NOON, 'en-GB'), /was on more than 1000 times, the last time from 9:19 to 9:19$/);
});

test('the line reads like a sentence', () => {
  const say = (minutes, times) => line({ on: minutes * MINUTE, times, unknown: 0, cut: false });
  assert.deepEqual([say(0, 0), say(14, 3), say(0.5, 1), say(61, 2), say(120, 4)], [
    'Not on today',
    'On for 14 minutes today, 3 times',
    'On for less than a minute today, once',
    'On for 1 h 1 min today, twice',
    'On for 2 h today, 4 times',
  ]);
  assert.equal(inWords(DAY), '24 h');
  assert.deepEqual([0, 40_000, 59_999, 60_000, 65 * MINUTE, 2 * HOUR].map(briefly), ['1 s', '40 s', '60 s', '1 min', '1 h 5 min', '2 h']);
});

test('the bar ends now, has what is on it in its place, and cuts what is older', () => {
  const all = marks([
    stretch(NOON - 30 * HOUR, 1),
    stretch(NOON - 25 * HOUR, 120),
    stretch(NOON - 12 * HOUR, 6 * 60),
    lost(NOON - 3 * HOUR),
    lasting(NOON - 2.4 * HOUR, 2.4 * HOUR),
  ], NOON);
  const near = all.map(({ x, width, kind }) => [x.toFixed(4), width.toFixed(4), kind]);
  assert.deepEqual(near, [
    ['0.0000', '0.0417', 'was'],
    ['0.5000', '0.2500', 'was'],
    ['0.8750', '0.0000', 'unknown'],
    ['0.9000', '0.1000', 'now'],
  ]);
});

test('what touches is one mark', () => {
  const two = [stretch(NOON - HOUR, 5), stretch(NOON - HOUR + 6 * MINUTE, 5), stretch(NOON - HOUR / 2, 5)];
  const all = marks(two, NOON);
  assert.equal(all.length, 2);
  assert.equal(Math.round(all[0].width * DAY), 11 * MINUTE);
});

test('the bar has the full hours of the clock on it, also where the day has 23 or 25', () => {
  for (const now of [NOON, NOON + 7 * MINUTE, new Date(2026, 2, 29, 20, 30).getTime(), new Date(2026, 9, 25, 20, 30).getTime()]) {
    const all = hours(now);
    assert.ok(all.length >= 3 && all.length <= 5, `${all.length}`);
    for (const { x, time } of all) {
      assert.ok(x >= 0 && x <= 1);
      const at = new Date(time);
      assert.deepEqual([at.getHours() % 6, at.getMinutes()], [0, 0]);
      assert.ok(Math.abs(x * DAY - (time - (now - DAY))) < 1);
    }
  }
});

test('who can’t see the bar is told what is on it', () => {
  assert.equal(label([stretch(NOON - 30 * HOUR, 1)], NOON), 'The camera was not on in the last 24 hours');
  const few = [stretch(NOON - 3 * HOUR, 14), lost(NOON - 2 * HOUR), lasting(NOON - HOUR, HOUR)];
  assert.equal(label(few, NOON, 'en-GB'),
    'In the last 24 hours the camera was on from 9:00 to 9:14; from 10:00, until when is not known; since 11:00');
  const many = Array.from({ length: 7 }, (_, i) => stretch(NOON - (7 - i) * HOUR, 1));
  assert.equal(label(many, NOON, 'en-GB'), 'In the last 24 hours the camera was on 7 times, the last time from 11:00 to 11:01');
});

test('the list has the newest first, by day', () => {
  const all = rows([
    stretch(MIDNIGHT - 3 * HOUR, 1),
    stretch(MIDNIGHT - MINUTE, 2, { viewers: 3 }),
    lost(NOON - HOUR),
    lasting(NOON - MINUTE, MINUTE - 10_000),
  ], NOON, { told: NOON - 10_000, ...en });
  assert.deepEqual(all, [
    { day: 'Today', from: '11:59', to: 'now', on: '1 min', viewers: '1', why: 'a viewer came' },
    { day: null, from: '11:00', to: 'not known', on: '', viewers: '?', why: 'a viewer came – not known' },
    { day: 'Yesterday', from: '23:59', to: 'Today, 0:01', on: '2 min', viewers: '3', why: 'a viewer came – nobody watches' },
    { day: null, from: '21:00', to: '21:01', on: '1 min', viewers: '1', why: 'a viewer came – nobody watches' },
  ]);
  assert.equal(dayName(NOON - 5 * DAY, NOON, 'en-GB'), 'Sat 7 Nov');
});
