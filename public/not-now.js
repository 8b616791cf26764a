// What is on the screen where it is not what the camera sees now, in words. Pure: the same input says the same.

import { sentence } from './words.js';

/** "12 Nov, 14:03", in the viewer's own time and words; with the year where it is another one than that of `now`. */
export function moment(ms, now = Date.now(), locale = undefined) {
  const at = new Date(ms);
  const year = at.getFullYear() === new Date(now).getFullYear() ? undefined : 'numeric';
  const day = at.toLocaleDateString(locale, { day: 'numeric', month: 'short', year });
  const time = at.toLocaleTimeString(locale, { hour: '2-digit', minute: '2-digit' });
  return `${day}, ${time}`;
}

/** "30 s", "2 min", "1 min 30 s" */
export function lag(ms) {
  const [minutes, seconds] = [Math.floor(ms / 60_000), (ms % 60_000) / 1000];
  const parts = [minutes && `${minutes} min`, (seconds || !minutes) && `${Math.round(seconds * 10) / 10} s`];
  return parts.filter(Boolean).join(' ');
}

/** The words for recorded pictures; null while they are live, or nobody is to know. */
export function recorded(state, now, locale) {
  if (!state?.recorded) return null;
  const label = `Recorded ${moment(state.recorded.to, now, locale)}`;
  const why = sentence(state.reason);
  return { key: 'recorded', title: 'Recorded', label, why, detail: [sentence(label), why].filter(Boolean).join(' ') };
}

/** The words for a camera that may not run; null where it may. */
export function blocked(state) {
  if (!state?.blocked) return null;
  const reason = state.reason || (state.blocked.by === 'quiet' ? 'quiet hours' : 'switched off');
  return { key: 'blocked', title: 'Off', label: '', detail: [sentence(reason), sentence(state.hint)].filter(Boolean).join(' ') };
}

/** What is said of pictures that are shown later than they were taken; empty where they are not. */
export const delayed = (state) => (state?.delay_ms > 0 ? `Shown ${lag(state.delay_ms)} later` : '');
