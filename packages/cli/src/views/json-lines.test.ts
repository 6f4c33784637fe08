import { numberValue, stringValue } from "@millwright/value/value";
import { note } from "@millwright/provider/plan-note";
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { change, changed, demo, planOf } from "../../test/plan-fixtures.ts";
import { JsonView } from "./json-lines.ts";

const base = demo({ id: stringValue("i-1"), text: stringValue("one") });
const other = changed(base, { count: numberValue(2) });

test("a planned change is told with its provider's notes, where it has some", () => {
  let written = "";
  const write = async (text: string | Uint8Array) => void (written += text);
  const io = { stdin: Readable.from([]), stdout: write, stderr: write, env: {}, cwd: "/", isTerminal: false };
  const view = { width: 80, colour: true };
  const lines = new JsonView({ ...io, view, signal: new AbortController().signal }, () => undefined);
  const notes = [note("Dry run:", "heading"), [...note("- one "), ...note("finds no place", "warning")]];
  lines.changes(
    planOf({ changes: [change("demo.a", "update", base, other, { notes }), change("demo.b", "update", base, other)] }),
  );
  const told = written
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { readonly change?: { notes?: unknown } });
  expect(told.flatMap((line) => (line.change ? [line.change.notes] : []))).toEqual([
    ["Dry run:", "- one finds no place"],
    undefined,
  ]);
});
