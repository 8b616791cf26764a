import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes, calendar, dated, dayInWords, number, plain, reading, remark, scale, summary, total } from '../../../public/stats-text.js';

const TODAY = '2026-03-02';
const began = Date.parse('2025-11-20T15:00:00Z');
const counts = (visits, viewers_max = 1) => ({ visits, viewers_max, pictures_sent: 10 * visits, bytes_sent: 1000 * visits, pictures_taken: 0 });
const day = (name, ...more) => ({ day: name, ...counts(...more) });

test('days in which nothing happened are in the calendar', () => {
  const days = calendar([day('2026-02-27', 4), day(TODAY, 2)], { today: TODAY, count: 30, began });
  assert.equal(days.length, 30);
  assert.deepEqual(days.slice(-4).map((entry) => [entry.day, entry.counts?.visits ?? null]), [
    ['2026-02-27', 4], ['2026-02-28', null], ['2026-03-01', null], ['2026-03-02', 2],
  ]);
  assert.equal(days[0].day, '2026-02-01');
});

test('it is no longer than what was counted, and a week at least', () => {
  const length = (count, from, known = []) => calendar(known, { today: TODAY, count, began: Date.parse(from) }).length;
  assert.equal(length(400, '2025-11-20T15:00:00Z'), 103);
  assert.equal(length(30, '2026-03-02T10:00:00Z'), 7);
  assert.equal(length(90, '2026-02-01T00:00:00Z'), 30);
  // A clock that was wrong when counting began.
  assert.equal(length(30, '2099-01-01T00:00:00Z'), 7);
  assert.equal(length(30, '2026-03-02T00:00:00Z', [day('2026-02-20', 1)]), 11);
});

test('days of a clock that was ahead are left out', () => {
  const days = calendar([day(TODAY, 2), day('2099-01-01', 9)], { today: TODAY, count: 30, began });
  assert.equal(total(days, 'visits'), 2);
});

test('visits are added up, viewers at a time are not', () => {
  const days = calendar([day('2026-03-01', 4, 3), day(TODAY, 2, 2)], { today: TODAY, count: 7, began });
  assert.deepEqual(['visits', 'viewers_max', 'pictures_sent', 'bytes_sent'].map((measure) => total(days, measure)), [6, 3, 60, 6000]);
  assert.equal(summary(days, 'visits', 'en-GB'), '7 days: 6 visits');
  assert.equal(summary(days, 'viewers_max', 'en-GB'), '7 days: at most 3 viewers at a time');
});

test('an axis has few round marks from nothing to what is above all', () => {
  assert.deepEqual([0, 1, 2, 3, 4, 7, 12, 100, 280, 1001].map(scale), [
    [0, 1], [0, 1], [0, 1, 2], [0, 1, 2, 3], [0, 2, 4], [0, 5, 10], [0, 5, 10, 15], [0, 50, 100], [0, 100, 200, 300], [0, 500, 1000, 1500],
  ]);
  for (let most = 1; most < 1e13; most = Math.ceil(most * 1.37)) {
    const marks = scale(most);
    assert.ok(marks.length >= 2 && marks.length <= 4 && marks.at(-1) >= most && marks.at(-2) < most, `${most}: ${marks}`);
    assert.equal(new Set(marks.slice(1).map((mark, i) => mark - marks[i])).size, 1, `${most}: ${marks}`);
  }
});

test('today has its date on the axis, and not too many others', () => {
  assert.deepEqual(dated(7, 3), [0, 3, 6]);
  for (const count of [7, 30, 90, 103, 400]) {
    const all = dated(count);
    assert.ok(all.length <= 5 && all.at(-1) === count - 1 && all[0] >= 0, `${count}: ${all}`);
  }
});

test('bytes have a unit that fits', () => {
  assert.deepEqual([0, 999, 999.6, 1500, 9_960, 999_499, 999_500, 20e9, 1e15, 2e18].map((value) => bytes(value, 'en-GB')),
    ['0 B', '999 B', '1 kB', '1.5 kB', '10 kB', '999 kB', '1 MB', '20 GB', '1 PB', '2,000 PB']);
  assert.deepEqual([plain('bytes_sent', 1e6, 'en-GB'), plain('visits', 1e6, 'en-GB'), number(5, 'en-GB')], ['1 MB', '1,000,000', '5']);
});

test('a day is said in words, with its year where it is another', () => {
  assert.equal(dayInWords('2026-03-01', TODAY, { locale: 'en-GB' }), 'Sun 1 Mar');
  assert.equal(dayInWords('2025-12-31', TODAY, { locale: 'en-GB', weekday: false }), '31 Dec 2025');
  const says = (measure, value) => reading({ day: '2026-03-01', counts: value }, measure, TODAY, 'en-GB');
  assert.equal(says('visits', counts(1)), 'Sun 1 Mar: 1 visit');
  assert.equal(says('pictures_sent', counts(200)), 'Sun 1 Mar: 2,000 pictures sent');
  assert.equal(says('bytes_sent', null), 'Sun 1 Mar: 0 B sent');
});

test('a camera that was taken out is said to be', () => {
  assert.match(remark({ title: null, now: null }), /not in the configuration/);
  assert.equal(remark({ title: 'Aquarium', now: { viewers: 0 } }), '');
});
