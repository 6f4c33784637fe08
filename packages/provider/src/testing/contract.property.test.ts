import fc from "fast-check";
import { expect, test } from "vitest";
import { configureForTest, contractViolations } from "./contract.ts";
import { testProvider } from "./test-provider.ts";

/* Whatever a resource is configured with, and then instead: the framework keeps the contract for it. */

const text = fc.string({ maxLength: 5 });
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { freq: 2 });
const leaf = fc.record({ label: text, weight: maybe(fc.double({ noNaN: true, noDefaultInfinity: true })) });
const leaves = fc.array(leaf, { maxLength: 3 });
const byName = <T>(value: fc.Arbitrary<T>) => fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), value, { maxKeys: 3 });

const config = fc.record({
  name: fc.constantFrom("a", "b"),
  text: maybe(text),
  number: maybe(fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }))),
  flag: maybe(fc.boolean()),
  size: maybe(fc.integer()),
  region: maybe(text),
  zone: maybe(fc.constantFrom("x", "y")),
  secret: maybe(text),
  password_wo: maybe(text),
  labels: maybe(byName(text)),
  items: maybe(fc.array(text, { maxLength: 3 })),
  members: maybe(fc.array(text, { maxLength: 3 })),
  shape: maybe(fc.record({ width: maybe(fc.integer()), height: maybe(fc.integer()) })),
  endpoint: maybe(leaf),
  rules: maybe(leaves),
  marks: maybe(leaves),
  peers: maybe(byName(leaf)),
  one: maybe(leaf),
  group: fc.record({ label: maybe(text), weight: maybe(fc.integer()) }),
  row: fc.array(fc.record({ label: text, zone: maybe(fc.constantFrom("x", "y")) }), { maxLength: 3 }),
  tag: leaves,
  named: byName(leaf),
});

test("the life of any object of a resource keeps the contract", async () => {
  const life = fc.tuple(config, fc.array(config, { maxLength: 3 }));
  await fc.assert(
    fc.asyncProperty(life, async ([first, changes]) => {
      const provider = testProvider().start();
      await configureForTest(provider);
      expect(await contractViolations(provider, { type: "test_thing", config: first, changes })).toEqual([]);
    }),
    { numRuns: 150 },
  );
});
