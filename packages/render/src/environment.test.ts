import { expect, test } from "vitest";
import { filterEnvironment } from "./environment.ts";
import { matchesAny } from "./name-pattern.ts";

const environment = { PATH: "/bin", CONSUL_TOKEN: "t", VAULT_ADDR: "v", GONE: undefined };

test.each([
  { name: "all of it", input: {}, want: { PATH: "/bin", CONSUL_TOKEN: "t", VAULT_ADDR: "v" } },
  { name: "none of it", input: { isPristine: true, custom: ["A=b=c"] }, want: { A: "b=c" } },
  { name: "what is allowed", input: { allowed: ["PATH", "V*"] }, want: { PATH: "/bin", VAULT_ADDR: "v" } },
  {
    name: "what is not denied",
    input: { allowed: ["*"], denied: ["*_TOKEN"] },
    want: { PATH: "/bin", VAULT_ADDR: "v" },
  },
  {
    name: "its own over it",
    input: { custom: ["PATH=/own"] },
    want: { PATH: "/own", CONSUL_TOKEN: "t", VAULT_ADDR: "v" },
  },
])("a program sees $name", ({ input, want }) => {
  const filter = { isPristine: false, custom: [], allowed: [], denied: [], ...input };
  expect(filterEnvironment(environment, filter)).toEqual(want);
});

test.each([
  { pattern: "a*c", yes: ["ac", "abc", "abcc"], no: ["a", "acb"] },
  { pattern: "a*b*c", yes: ["abc", "axbxc", "abbc"], no: ["ac", "acb"] },
  { pattern: "*", yes: ["", "x"], no: [] },
  { pattern: "a.c", yes: ["a.c"], no: ["abc"] },
])("$pattern stands for any text at its stars", ({ pattern, yes, no }) => {
  expect(yes.filter((name) => !matchesAny(name, [pattern]))).toEqual([]);
  expect(no.filter((name) => matchesAny(name, [pattern]))).toEqual([]);
});
