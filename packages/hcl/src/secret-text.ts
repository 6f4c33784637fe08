import { walk } from "@millwright/value/path";
import type { BigFloat } from "@millwright/value/number";
import type { Value } from "@millwright/value/value";
import { ephemeral, hasMark, isKnown, isMarkedDeep, sensitive } from "@millwright/value/value";

/** What is said in place of a message that would tell of a secret. */
export const secretReason = "what is wrong is not shown, as it would tell of a sensitive value";

/** So many characters in a row of a secret make a message tell of it; of a shorter one, all of it in quotes, or as a number. */
const tellingLength = 4;

/** The message about these arguments, unless it tells of what a sensitive or ephemeral one holds: then {@link secretReason}. */
export function withoutSecrets(message: string, args: readonly Value[]): string {
  const secrets = args
    .filter((arg) => isMarkedDeep(arg, sensitive) || isMarkedDeep(arg, ephemeral))
    .flatMap(secretTexts);
  return secrets.some((secret) => tells(message, secret)) ? secretReason : message;
}

/** The texts of all that is marked, or inside of something marked: strings, numbers, keys. */
function secretTexts(value: Value): string[] {
  const texts: string[] = [];
  walk(value, (_path, inside) => {
    if (!hasMark(inside, sensitive) && !hasMark(inside, ephemeral)) return;
    walk(inside, (_, each) => {
      const { type, data } = each;
      if (data === null || !isKnown(each)) return;
      if (typeof data === "string") texts.push(data);
      else if (type.kind === "number") texts.push((data as BigFloat).toText());
      else if (data instanceof Map) texts.push(...(data as ReadonlyMap<string, Value>).keys());
    });
    return "skip";
  });
  return texts.filter((text) => text !== "");
}

function tells(message: string, secret: string): boolean {
  if (secret.length < tellingLength) {
    const at = message.indexOf(secret);
    const [before = "", behind = ""] = [message[at - 1], message[at + secret.length]];
    return at >= 0 && (/^[-+.0-9]/.test(secret) ? !/\w/.test(before + behind) : before === '"' && behind === '"');
  }
  for (let i = 0; i + tellingLength <= secret.length; i++) {
    if (message.includes(secret.slice(i, i + tellingLength))) return true;
  }
  return false;
}
