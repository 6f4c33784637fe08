import { Readable } from "node:stream";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { JsonView } from "./json-lines.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("every ten seconds it is said of a step that it is still going on, until it ends", () => {
  const lines: string[] = [];
  const write = async (text: string | Uint8Array) => void lines.push(String(text));
  const io = { stdin: Readable.from([]), stdout: write, stderr: write, env: {}, cwd: "/", isTerminal: false };
  const { signal } = new AbortController();
  const view = new JsonView({ ...io, view: { width: 80, colour: false }, signal }, () => undefined);
  view.events({ kind: "apply-start", address: "demo.a", action: "delete", id: "id=1" });
  vi.advanceTimersByTime(21_000);
  view.events({ kind: "apply-done", address: "demo.a", action: "delete", seconds: 21 });
  vi.advanceTimersByTime(60_000);
  const progress = lines
    .map((line) => JSON.parse(line) as { readonly type: string; readonly "@message": string })
    .filter(({ type }) => type === "apply_progress")
    .map((line) => line["@message"]);
  expect(progress).toEqual(["demo.a: Still destroying... [10s elapsed]", "demo.a: Still destroying... [20s elapsed]"]);
});
