/** Where the camera of an address is: of its page, with or without the last slash; null for what is no address. */
export function place(src, page) {
  let url;
  try {
    url = new URL(src, page);
  } catch {
    return null;
  }
  if (!src || !/^https?:$/.test(url.protocol)) return null;
  // Before `cameras` there may be a folder in which a proxy has put the daemon.
  const [, folder, name] = /^(.*?)(?:\/cameras\/([^/]+))?\/?$/.exec(url.pathname);
  const root = `${url.origin}${folder}/`;
  return { root, base: name ? `${root}cameras/${name}/` : root, namespace: name ? `/${name}` : '' };
}
