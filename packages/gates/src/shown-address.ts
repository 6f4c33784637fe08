/** An address as it may be told: without its login and its query, which may be secret. */
export function shownAddress(text: string): string {
  const { origin, pathname } = new URL(text);
  return origin + pathname;
}
