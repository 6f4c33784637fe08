/** Levels of lists and objects that a body may have, as many as Vault takes. */
export const mostLevels = 300;
/** Values that a body may hold: each is hashed for the audit, also of a request that nobody may make. */
export const mostValues = 10_000;

/**
 * Why a text, if it is JSON, is not read: it is deeper, or holds more, than any request has use for; nothing where it is within
 * bounds. Looks at each letter once, so that it costs less than what it keeps from being done.
 */
export function faultOfBounds(text: string): string | undefined {
  let levels = 0;
  let values = 1;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case quote:
        at = endOfText(text, at);
        break;
      case openList:
      case openObject:
        if (++levels > mostLevels) return `the body is more than ${mostLevels} levels deep`;
        break;
      case closeList:
      case closeObject:
        levels--;
        break;
      case comma:
        if (++values > mostValues) return `the body holds more than ${mostValues} values`;
    }
  }
  return undefined;
}

const [quote, comma, openList, closeList, openObject, closeObject] = [0x22, 0x2c, 0x5b, 0x5d, 0x7b, 0x7d];

function endOfText(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text[end - 1 - slashes] === "\\") slashes++;
    if (slashes % 2 === 0) return end;
  }
  return text.length;
}
