import { spawn } from "node:child_process";
import { once } from "node:events";
import { identify } from "@millwright/process/identity";
import { expect, test } from "vitest";
import { hasEnded, parseHolderProcess, thisProcess } from "./holder-process.ts";

const here = thisProcess()!;

test("a holder that runs has not ended, and one that was killed has", async () => {
  expect(hasEnded(here)).toBe(false);
  const child = spawn("sleep", ["60"], { stdio: "ignore" });
  const holder = { ...here, ...identify(child.pid!)! };
  expect(hasEnded(holder)).toBe(false);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(hasEnded(holder)).toBe(true);
});

test("another process that has the pid by now is not the holder", () => {
  expect(hasEnded({ ...here, startTime: "1" })).toBe(true);
});

test("nothing is known of a holder on another machine, in another container, or before the last start", () => {
  const gone = { ...here, startTime: "1" };
  expect(hasEnded({ ...gone, boot: "another" })).toBe(false);
  expect(hasEnded({ ...gone, namespace: "pid:[1]" })).toBe(false);
});

test("a holder is read from JSON, and nothing else is", () => {
  expect(parseHolderProcess(JSON.parse(JSON.stringify(here)))).toEqual(here);
  for (const wrong of [null, undefined, {}, { ...here, pid: -1 }, { ...here, pid: "1" }, { ...here, boot: 1 }])
    expect(parseHolderProcess(wrong)).toBeUndefined();
});
