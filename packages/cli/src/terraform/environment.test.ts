import { describe, expect, test } from "vitest";
import { splitWords, withEnvironmentArguments } from "./environment.ts";

describe("a text is cut into words as a shell does", () => {
  const cases = [
    { name: "at spaces", input: " -a  b\tc ", want: ["-a", "b", "c"] },
    { name: "not in quotes", input: `-var='a b' "c d"`, want: ["-var=a b", "c d"] },
    { name: "not behind a backslash", input: String.raw`a\ b "x\"y" 'x\y'`, want: ["a b", 'x"y', String.raw`x\y`] },
    { name: "with an empty word in quotes", input: `a ''`, want: ["a", ""] },
    { name: "and not at all where a quote is open", input: `a "b`, want: undefined },
  ];
  test.each(cases)("$name", ({ input, want }) => expect(splitWords(input)).toEqual(want));
});

describe("arguments from the environment", () => {
  const cases = [
    {
      name: "stand before those typed",
      command: "plan",
      args: ["-x"],
      env: { TF_CLI_ARGS: "-a", TF_CLI_ARGS_plan: "-b" },
      want: ["-a", "-b", "-x"],
    },
    { name: "are for their own command", command: "apply", args: [], env: { TF_CLI_ARGS_plan: "-b" }, want: [] },
    {
      name: "stand behind the second word of a command",
      command: "state",
      args: ["list", "x"],
      env: { TF_CLI_ARGS_state_list: "-a" },
      want: ["list", "-a", "x"],
    },
  ];
  test.each(cases)("$name", ({ command, args, env, want }) =>
    expect(withEnvironmentArguments(command, args, env)).toEqual({ kind: "arguments", args: want }),
  );

  test("with an open quote are a mistake that names the variable", () => {
    const answer = withEnvironmentArguments("plan", [], { TF_CLI_ARGS_plan: "'" });
    expect(answer).toMatchObject({ kind: "mistake", diagnostic: { summary: "Invalid TF_CLI_ARGS_plan" } });
  });
});
