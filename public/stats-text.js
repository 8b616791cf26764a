// Visitors by day: sums, scales, and words. Pure: the same input says the same. A day is a text such as "2026-03-01".

const DAY_MS = 86_400_000;
const at = (day) => Date.parse(`${day}T00:00:00Z`);
const named = (ms) => new Date(ms).toISOString().slice(0, 10);

/** What can be shown, by its name in the API. `of` gives the number in words. */
export const MEASURES = {
  visits: { name: 'Visits', of: (value, locale) => counted(value, 'visit', locale) },
  viewers_max: { name: 'Most at a time', of: (value, locale) => `at most ${counted(value, 'viewer', locale)} at a time` },
  pictures_sent: { name: 'Pictures', of: (value, locale) => `${counted(value, 'picture', locale)} sent` },
  bytes_sent: { name: 'Data', of: (value, locale) => `${bytes(value, locale)} sent` },
};

export const number = (value, locale) => new Intl.NumberFormat(locale).format(value);
const counted = (value, thing, locale) => `${number(value, locale)} ${thing}${value === 1 ? '' : 's'}`;

/** "999 B", "1.5 MB", "20 GB" */
export function bytes(value, locale) {
  let [scaled, unit] = [value, 0];
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  // What would be rounded to 1,000 is 1 of the next.
  while (scaled >= 999.5 && unit < units.length - 1) [scaled, unit] = [scaled / 1000, unit + 1];
  const digits = unit > 0 && scaled < 9.95 ? 1 : 0;
  return `${new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(scaled)} ${units[unit]}`;
}

/** How a number is written on an axis or in a table. */
export const plain = (measure, value, locale) => (measure === 'bytes_sent' ? bytes(value, locale) : number(value, locale));

/** "Thu, 12 Nov", with the year where it is another one than that of `today`. */
export function dayInWords(day, today, { locale, weekday = true } = {}) {
  const year = day.slice(0, 4) === today.slice(0, 4) ? undefined : 'numeric';
  return new Date(at(day)).toLocaleDateString(locale, { weekday: weekday ? 'short' : undefined, day: 'numeric', month: 'short', year, timeZone: 'UTC' });
}

/** The day of a moment in the time zone of who looks. */
export const since = (ms, locale) => new Date(ms).toLocaleDateString(locale, { day: 'numeric', month: 'long', year: 'numeric' });

/**
 * Each day of the `count` up to `today`, the oldest first: `{day, counts}`; `counts` is null where nothing happened. There are
 * fewer where counting began later, `began` in milliseconds, but a week in any case.
 */
export function calendar(days, { today, count, began }) {
  const known = new Map(days.map((entry) => [entry.day, entry]));
  const oldest = days.length > 0 && days[0].day < named(began) ? at(days[0].day) : Math.floor(began / DAY_MS) * DAY_MS;
  const reach = Math.round((at(today) - oldest) / DAY_MS) + 1;
  const length = Math.min(count, Math.max(7, reach));
  return Array.from({ length }, (_, i) => {
    const day = named(at(today) - (length - 1 - i) * DAY_MS);
    return { day, counts: known.get(day) ?? null };
  });
}

/** The sum of what can be added up, and the most of what can't. */
export function total(calendar, measure) {
  const values = calendar.map(({ counts }) => counts?.[measure] ?? 0);
  return measure === 'viewers_max' ? Math.max(0, ...values) : values.reduce((sum, value) => sum + value, 0);
}

/** The marks of an axis for whole numbers up to `most`, from 0 up, the last one not below it: three or four, and round. */
export function scale(most) {
  if (most <= 0) return [0, 1];
  const least = most / 3;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = Math.max(1, [1, 2, 5, 10].map((digit) => digit * power).find((value) => value >= least * 0.999_999));
  return Array.from({ length: Math.ceil(most / step - 1e-9) + 1 }, (_, i) => Math.round(i * step));
}

/** Which days of so many have their date on the axis: today's, and about as many as fit. */
export function dated(count, fit = 5) {
  const step = Math.ceil(count / fit);
  const all = [];
  for (let i = count - 1; i >= 0; i -= step) all.unshift(i);
  return all;
}

/** "30 days: 312 visits" */
export const summary = (calendar, measure, locale) => `${calendar.length} days: ${MEASURES[measure].of(total(calendar, measure), locale)}`;

/** "Thu, 12 Nov: 28 visits" */
export const reading = ({ day, counts }, measure, today, locale) =>
  `${dayInWords(day, today, { locale })}: ${MEASURES[measure].of(counts?.[measure] ?? 0, locale)}`;

/** What is said of a camera beside its name. */
export const remark = ({ title, now }) => (title === null && now === null ? 'not in the configuration any more' : '');
