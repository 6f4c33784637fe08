import { expect, test } from "vitest";
import { mayColour } from "./process-io.ts";

test.each([
  { name: "in colours", env: { TERM: "xterm" }, want: true },
  { name: "without, where NO_COLOR is set to anything", env: { NO_COLOR: "0" }, want: false },
  { name: "in colours where NO_COLOR is empty", env: { NO_COLOR: "" }, want: true },
  { name: "without, where it has none", env: { TERM: "dumb" }, want: false },
])("a terminal is written to $name", ({ env, want }) => expect(mayColour(env)).toBe(want));
