/** An address as it may be shown: without its login and without its query, which may hold a signature or a token. */
export function shownUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}
