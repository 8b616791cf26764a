// Whether somebody can see the page.

const HIDDEN_MS = 5_000;

/**
 * Calls `hidden()` once the page was hidden for 5 s, `visible()` when it can be seen again, `leave()` when it goes
 * away or is frozen, and `back()` when it returns from there.
 */
export function watchVisibility({ hidden, visible, leave, back }) {
  let timer = null;
  const look = () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(hidden, HIDDEN_MS);
    else visible();
  };
  document.addEventListener('visibilitychange', look);
  // Chrome freezes hidden tabs: no timer runs then, and no answer to a ping. Safari and Firefox keep whole pages for
  // the back button (pagehide, pageshow). Neither may leave a viewer behind that nobody is.
  document.addEventListener('freeze', leave);
  document.addEventListener('resume', back);
  addEventListener('pagehide', leave);
  addEventListener('pageshow', (event) => {
    if (event.persisted) back();
    look();
  });
}
