import { expect, test } from "vitest";
import { similar } from "./similar.ts";

test.each([
  { name: "a letter too few", given: "subkey", candidates: ["path_prefix", "subkeys"], want: "subkeys" },
  {
    name: "two letters swapped",
    given: "consul_kyes",
    candidates: ["consul_keys", "consul_key_prefix"],
    want: "consul_keys",
  },
  { name: "the nearer one of two", given: "inputs", candidates: ["output", "input"], want: "input" },
  { name: "nothing that is near", given: "colour", candidates: ["id", "triggers_replace"], want: undefined },
  { name: "no candidates", given: "a", candidates: [], want: undefined },
  { name: "a short word is not taken for another short word", given: "x", candidates: ["y", "id"], want: undefined },
])("suggests for $name", ({ given, candidates, want }) => {
  expect(similar(given, candidates)).toBe(want);
});
