import { describe, expect, test } from "vitest";
import type { CheckStatus } from "./check-definition.ts";
import { damp, noStreak, type Streak } from "./damping.ts";

describe("results in a row", () => {
  const cases: { name: string; limits: [number, number, number]; results: string; want: string }[] = [
    { name: "count at once without limits", limits: [0, 0, 0], results: "pcwp", want: "pcwp" },
    { name: "have to be as many good ones as is said", limits: [3, 0, 0], results: "cppp", want: "c--p" },
    { name: "begin again after a bad one", limits: [2, 0, 0], results: "pcpp", want: "-c-p" },
    { name: "make a warning before they are critical", limits: [0, 2, 4], results: "cccc", want: "-w" + "wc" },
    { name: "make nothing where a good one comes between", limits: [0, 3, 3], results: "ccpccp", want: "--p--p" },
    { name: "take a warning of the probe as it is", limits: [0, 3, 3], results: "wcw", want: "w-w" },
  ];
  test.each(cases)(
    "$name",
    ({ limits: [successBeforePassing, failuresBeforeWarning, failuresBeforeCritical], results, want }) => {
      const limits = { successBeforePassing, failuresBeforeWarning, failuresBeforeCritical };
      const names: Record<string, CheckStatus> = { p: "passing", w: "warning", c: "critical" };
      let streak: Streak = noStreak;
      const seen = [...results].map((letter) => {
        const next = damp(limits, streak, names[letter]!);
        streak = next.streak;
        return next.status?.[0] ?? "-";
      });
      expect(seen.join("")).toBe(want);
    },
  );
});
