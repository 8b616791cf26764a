// When the camera was on: sums, places on the bar, and words. Pure: the same input says the same. All times are
// milliseconds since 1970 on the server's clock; the day is that of who looks.

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
/** So many stretches the server tells at once. */
const TOLD = 1000;
/** So fine the bar is drawn: nobody sees more, and a camera that failed all day must not make thousands of marks. */
const COLUMNS = 720;

/** The first moment of the day of `now`, where who looks is. It may be 25 hours ago. */
export const startOfDay = (now) => new Date(now).setHours(0, 0, 0, 0);

/** From where on the ledger has to be known. */
export const reach = (now) => Math.min(startOfDay(now), now - DAY);

/** A stretch lasts until `now`; one whose end is not known ends where it began. */
const lasts = (stretch) => stretch.ended === null;
const end = (stretch, now) => (lasts(stretch) ? now : stretch.to ?? stretch.from);

/**
 * What there is from `from` to `now`: `on` in milliseconds, `times`, `unknown` (those of them whose end nobody knows), and
 * `cut` (the server has left older ones out). `told` is when the stretches were told.
 */
export function sum(stretches, { from, now, told = now }) {
  const all = { on: 0, times: 0, unknown: 0, cut: stretches.length >= TOLD && stretches[0].from > from };
  for (const stretch of stretches) {
    const to = end(stretch, now);
    if (Math.max(to, stretch.from) < from) continue;
    all.times += 1;
    if (stretch.on_ms === null) all.unknown += 1;
    else {
      const whole = stretch.on_ms + (lasts(stretch) ? Math.max(0, now - told) : 0);
      all.on += stretch.from < from ? Math.max(0, Math.min(whole, to - from)) : whole;
    }
  }
  return all;
}

/** "1 h 5 min", of whole minutes. */
function hoursAndMinutes(minutes) {
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return [hours && `${hours} h`, rest && `${rest} min`].filter(Boolean).join(' ');
}

/** "less than a minute", "14 minutes", "1 h 5 min": for the line. */
export function inWords(ms) {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return 'less than a minute';
  if (minutes === 1) return '1 minute';
  return minutes < 60 ? `${minutes} minutes` : hoursAndMinutes(minutes);
}

const often = (times) => ['never', 'once', 'twice'][times] ?? `${times} times`;

/** "On for 14 minutes today, 3 times" */
export function line({ on, times, unknown, cut }) {
  if (times === 0) return 'Not on today';
  const count = cut ? `more than ${times} times` : often(times);
  if (times === unknown || (unknown && on < 60_000)) return `On today, ${count}; for how long is not known`;
  return `On for ${unknown || cut ? 'at least ' : ''}${inWords(on)} today, ${count}`;
}

/** "40 s", "14 min", "1 h 5 min": for the list. */
export function briefly(ms) {
  if (ms < 60_000) return `${Math.max(1, Math.round(ms / 1000))} s`;
  return hoursAndMinutes(Math.round(ms / 60_000));
}

/** Where the stretches are on a bar of the day up to `now`: `{x, width, kind}` from 0 to 1; `kind` is `was`, `now` or `unknown`. */
export function marks(stretches, now) {
  const begin = now - DAY;
  const place = (time) => Math.min(1, Math.max(0, (time - begin) / DAY));
  const all = [];
  for (const stretch of stretches) {
    const to = end(stretch, now);
    if (Math.max(to, stretch.from) < begin || stretch.from > now) continue;
    const kind = lasts(stretch) ? 'now' : stretch.on_ms === null ? 'unknown' : 'was';
    const [x, stop] = [place(stretch.from), place(to)];
    const last = all.at(-1);
    // What touches the one before is one mark with it.
    if (last?.kind === kind && x - last.x - last.width < 1 / COLUMNS) last.width = Math.max(last.width, stop - last.x);
    else all.push({ x, width: Math.max(0, stop - x), kind });
  }
  return all;
}

/** The full hours of the clock, every six, on the bar of the day up to `now`: `{x, time}`. */
export function hours(now) {
  const all = [];
  const at = new Date(now - DAY);
  at.setMinutes(0, 0, 0);
  for (; at.getTime() <= now; at.setHours(at.getHours() + 1)) {
    const x = (at.getTime() - (now - DAY)) / DAY;
    if (x >= 0 && at.getHours() % 6 === 0) all.push({ x, time: at.getTime() });
  }
  return all;
}

/** "14:03" */
export const clock = (ms, locale) => new Date(ms).toLocaleTimeString(locale, { hour: 'numeric', minute: '2-digit' });

/** "Today", "Yesterday", "Thu 12 Nov" */
export function dayName(ms, now, locale) {
  const day = startOfDay(ms);
  if (day === startOfDay(now)) return 'Today';
  if (day === startOfDay(startOfDay(now) - 1)) return 'Yesterday';
  return new Date(ms).toLocaleDateString(locale, { weekday: 'short', day: 'numeric', month: 'short' });
}

/** What the bar shows, for those who can't see it. */
export function label(stretches, now, locale) {
  const shown = stretches.filter((stretch) => Math.max(end(stretch, now), stretch.from) >= now - DAY);
  if (shown.length === 0) return 'The camera was not on in the last 24 hours';
  const told = (stretch) => {
    const from = clock(stretch.from, locale);
    if (lasts(stretch)) return `since ${from}`;
    return stretch.to === null ? `from ${from}, until when is not known` : `from ${from} to ${clock(stretch.to, locale)}`;
  };
  if (shown.length <= 4) return `In the last 24 hours the camera was on ${shown.map(told).join('; ')}`;
  const { cut } = sum(stretches, { from: now - DAY, now });
  return `In the last 24 hours the camera was on ${cut ? 'more than ' : ''}${shown.length} times, the last time ${told(shown.at(-1))}`;
}

/**
 * The rows of the list, the newest first: `{day, from, to, on, viewers, why}` as texts. `day` is there where another
 * one begins than that of the row before.
 */
export function rows(stretches, now, { told = now, locale } = {}) {
  let day = null;
  return stretches.toReversed().map((stretch) => {
    const name = dayName(stretch.from, now, locale);
    const first = name !== day;
    day = name;
    const time = (ms) => clock(ms, locale);
    const until = () => {
      if (lasts(stretch)) return 'now';
      if (stretch.to === null) return 'not known';
      const other = dayName(stretch.to, now, locale);
      return other === name ? time(stretch.to) : `${other}, ${time(stretch.to)}`;
    };
    const on = stretch.on_ms === null ? '' : briefly(stretch.on_ms + (lasts(stretch) ? Math.max(0, now - told) : 0));
    return {
      day: first ? name : null,
      from: time(stretch.from),
      to: until(),
      on,
      viewers: stretch.viewers === null ? '?' : String(stretch.viewers),
      why: [stretch.why, stretch.ended].filter(Boolean).join(' – '),
    };
  });
}
