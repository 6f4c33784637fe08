import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const program = fileURLToPath(new URL("../../test/drain-program.ts", import.meta.url));

const cases = [
  {
    name: "what is written goes over, and no byte twice",
    scenario: "flow",
    want: { isFinished: true, isWhole: true, isOpen: false },
  },
  {
    name: "on a full disk it keeps what it read, reads no more, and goes on when there is room",
    scenario: "full",
    want: {
      fault: "the disk is full",
      isFinished: false,
      text: "one\nt",
      isOpen: true,
      then: "one\ntwo\nthree\n",
      thenFault: "none",
    },
  },
  {
    name: "a finish on a disk that has room again writes all of it",
    scenario: "finish",
    want: { isFinished: true, text: "one\ntwo\nthree\n" },
  },
  {
    name: "what one drain keeps, another one does not overwrite",
    scenario: "two",
    want: { full: "mine\n", other: "the other's\n" },
  },
];
for (const { name, scenario, want } of cases) {
  test(name, async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [program, scenario]);
    expect(JSON.parse(stdout)).toEqual(want);
  });
}
