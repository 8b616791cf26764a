// Full screen, where the browser has it: Safari on iPads before 16.4 only under its own name, on iPhones not at all.

const current = () => document.fullscreenElement ?? document.webkitFullscreenElement ?? null;

export const canFullScreen = Boolean(document.fullscreenEnabled ?? document.webkitFullscreenEnabled);

export async function toggleFullScreen(element) {
  try {
    if (current()) await (document.exitFullscreen ?? document.webkitExitFullscreen).call(document);
    else await (element.requestFullscreen ?? element.webkitRequestFullscreen).call(element);
  } catch {
    // The browser's right, for example without a click; the page stays as it is.
  }
}

/** Calls `changed(full)` now and whenever it changes. */
export function watchFullScreen(changed) {
  const look = () => changed(current() !== null);
  document.addEventListener('fullscreenchange', look);
  document.addEventListener('webkitfullscreenchange', look);
  look();
}
