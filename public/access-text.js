// Who may look, in words. Pure: the same input says the same. Times are milliseconds since 1970.

import { clock, startOfDay } from './ledger-text.js';

/** So many characters a password has at least; the server refuses shorter ones. */
export const LEAST = 10;

/** How many characters a password lacks, counted as the server counts them. */
export const lacks = (password) => Math.max(0, LEAST - [...password].length);

/** What is said below a new password while it is written. */
export function length(password) {
  const missing = lacks(password);
  if (password === '' || missing === LEAST) return `At least ${LEAST} characters. A few words are easy to remember.`;
  if (missing > 0) return `${missing} more character${missing === 1 ? '' : 's'}`;
  return 'Long enough';
}

/** "27 s", "3 min": how long to wait still. */
export function left(ms) {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  return seconds < 100 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}

/** "today, 18:30", "tomorrow, 18:30", "Thu 12 Nov, 18:30" */
export function when(ms, now, locale) {
  const day = startOfDay(ms);
  const next = (moment, by) => new Date(startOfDay(moment)).setDate(new Date(moment).getDate() + by);
  const name = {
    [startOfDay(now)]: 'today',
    [next(now, 1)]: 'tomorrow',
    [next(now, -1)]: 'yesterday',
  }[day];
  const sameYear = new Date(ms).getFullYear() === new Date(now).getFullYear();
  const date = () => new Date(ms).toLocaleDateString(locale, {
    weekday: 'short', day: 'numeric', month: 'short', year: sameYear ? undefined : 'numeric',
  });
  return `${name ?? date()}, ${clock(ms, locale)}`;
}

const BROWSERS = [
  ['Edge', /Edg(e|A|iOS)?\//], ['Opera', /OPR\//], ['Samsung Internet', /SamsungBrowser\//], ['Firefox', /(Firefox|FxiOS)\//],
  ['Chromium', /Chromium\//], ['Chrome', /(Chrome|CriOS)\//], ['Safari', /Safari\//],
];
const SYSTEMS = [
  ['iPhone', /iPhone/], ['iPad', /iPad/], ['Android', /Android/], ['Windows', /Windows/], ['ChromeOS', /CrOS/], ['Mac', /Macintosh|Mac OS X/],
  ['Linux', /Linux|X11/],
];
const known = (list, text) => list.find(([, pattern]) => pattern.test(text))?.[0];

/** "Firefox on Android", of what a browser says of itself. */
export function browser(agent) {
  const [name, system] = [known(BROWSERS, agent ?? ''), known(SYSTEMS, agent ?? '')];
  if (name && system) return `${name} on ${system}`;
  return name ?? (agent?.trim().slice(0, 60) || 'Some browser');
}

/** What is told of a browser that may look; `title` makes words of the guest link that it came by. */
export function session({ agent, from, since_ms: since, seen_ms: seen, this: own, link: by }, now, { title = () => '', locale } = {}) {
  const lines = [
    by && title(by), from && `from ${from}`, `${by ? 'came' : 'signed in'} ${when(since, now, locale)}`,
    !own && seen && `last seen ${when(seen, now, locale)}`,
  ];
  return { title: browser(agent), tag: own ? 'this browser' : by ? 'guest' : '', detail: lines.filter(Boolean).join(' · ') };
}

/** What is told of an app password. */
export function app({ name, since_ms: since, seen_ms: seen }, now, { locale } = {}) {
  const used = seen ? `last used ${when(seen, now, locale)}` : 'not used yet';
  return { title: name, tag: '', detail: `made ${when(since, now, locale)} · ${used}` };
}

/** What is told of a guest link; `title` makes the title of a camera of its name. */
export function link({ name, camera, until_ms: until, viewers, used }, now, { title = String, locale } = {}) {
  const where = camera ? title(camera) : 'all cameras';
  const ended = until <= now ? 'ended' : 'until';
  return {
    title: name || 'Guest link',
    tag: '',
    detail: [where, `${ended} ${when(until, now, locale)}`, `${used} of ${viewers} came in`].join(' · '),
  };
}

/** For programs that know no page: what to give them. `camera` is a name, or null for the first. */
export function examples(origin, { password, camera = null }) {
  const at = camera ? `cameras/${encodeURIComponent(camera)}/` : '';
  const { protocol, host } = new URL(origin);
  return {
    picture: `${origin}/${at}snapshot.jpg`,
    stream: `${origin}/${at}stream.mjpg`,
    whole: `${protocol}//eyelid:${encodeURIComponent(password)}@${host}/${at}stream.mjpg`,
  };
}
