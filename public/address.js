// Addresses of this page's own: where a sign-in leads, and what is in a link for one browser alone.

/** Where to go after the sign-in that was asked for with `to`: a page of this origin, whatever `to` says. The answer is a whole address. */
export function inside(to, origin) {
  const start = `${origin}/`;
  if (!to?.startsWith('/')) return start;
  try {
    // Browsers read "\" as "/" and leave out tabs and line ends, so that "/\evil" is another host. What they make of it counts.
    const url = new URL(to, start);
    // A path may begin with "//" after "..", and would be another host if it were taken for an address again.
    return url.origin === origin ? url.href : start;
  } catch {
    return start;
  }
}

/** The sign-in that leads back to where somebody is. */
export function signInAddress({ pathname, search }) {
  const here = pathname + search;
  return here === '/' ? '/sign-in' : `/sign-in?to=${encodeURIComponent(here)}`;
}

/** Takes what is behind the "#" out of the address, so that it is neither in the history nor in a picture of the screen. */
export function takeSecret(place = location, past = history) {
  const secret = place.hash.slice(1);
  if (secret) past.replaceState(null, '', place.pathname + place.search);
  return secret;
}

/** Whether a page of this host is one that this machine alone gets. */
export const isLoopback = (host) => /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(host);

/** The page of a camera; without a name that of all, or of the only one. */
export const cameraPage = (name) => (name ? `/cameras/${encodeURIComponent(name)}/` : '/');

/**
 * What a page's head leads to, by what `GET /api/access` tells and where the page is: `{words, href, icon}`, or nothing where
 * nobody but this machine gets the page, and there is nothing to say.
 */
export function wayIn({ mode, may }, { hostname, pathname, search }) {
  if (mode === 'open') return isLoopback(hostname) ? null : { words: 'Open to everyone in this network', href: '/access', icon: false };
  if (may.keys) return { words: 'Who may look', href: '/access', icon: true };
  return { words: 'Sign in', href: signInAddress({ pathname, search }), icon: false };
}
