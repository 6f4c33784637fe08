import { expect, test } from "vitest";
import { faultOfBounds, mostLevels, mostValues } from "./json-bounds.ts";

const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
const listed = (count: number) => JSON.stringify(Array.from({ length: count }, (_, i) => i));

test.each([
  { name: "an empty object", text: "{}", fault: undefined },
  { name: "as many levels as may be", text: nested(mostLevels), fault: undefined },
  { name: "one level more", text: nested(mostLevels + 1), fault: /300 levels/ },
  { name: "many levels beside each other", text: `[${`${nested(200)},`.repeat(9)}1]`, fault: undefined },
  { name: "as many values as may be", text: listed(mostValues), fault: undefined },
  { name: "one value more", text: listed(mostValues + 1), fault: /10000 values/ },
  {
    name: "brackets and commas in a text",
    text: JSON.stringify({ a: `"[,{\\${"[,".repeat(20_000)}` }),
    fault: undefined,
  },
  { name: "a text that ends with a backslash", text: `${JSON.stringify(["\\"])}${nested(301)}`, fault: /levels/ },
  { name: "a text that does not end", text: `"${"[".repeat(1000)}`, fault: undefined },
])("$name: $fault", ({ text, fault }) => {
  if (fault) expect(faultOfBounds(text)).toMatch(fault);
  else expect(faultOfBounds(text)).toBeUndefined();
});
