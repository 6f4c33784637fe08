import type { Provider } from "@millwright/provider/protocol";
import { stringType } from "@millwright/value/types";
import { expect, test } from "vitest";
import { messages, plainOf, TestEngine } from "./testing/test-engine.ts";
import type { Value } from "@millwright/value/value";

const small = 'resource "test_small" "a" {\n  name = "a"\n}\n';
const meta = (body: string) => `terraform {\n  provider_meta "test" {\n    ${body}\n  }\n}\n`;

/** Lets the test provider take metadata of modules: one text, `from`. */
function takingMeta(engine: TestEngine): TestEngine {
  const block = { attributes: new Map([["from", { type: stringType, optional: true as const }]]), blocks: new Map() };
  engine.wrap = (provider: Provider) => ({
    ...provider,
    schema: async () => ({ ...(await provider.schema()), providerMeta: { version: 0, block } }),
  });
  return engine;
}

test("each call for an object of the module carries what the module says of itself", async () => {
  const engine = takingMeta(new TestEngine(meta('from = "module-7"') + small));
  expect(messages((await engine.apply()).diagnostics)).toEqual([]);
  const told = engine.provider.log.calls.flatMap(({ method, request }) => {
    const { providerMeta } = (request ?? {}) as { readonly providerMeta?: Value };
    return providerMeta ? [`${method} ${JSON.stringify(plainOf(providerMeta))}`] : [];
  });
  expect(new Set(told)).toEqual(
    new Set(['planResourceChange {"from":"module-7"}', 'applyResourceChange {"from":"module-7"}']),
  );
});

test("a body that does not fit the provider's schema is refused", async () => {
  const engine = takingMeta(new TestEngine(`${meta("form = 1")}${small}`));
  expect(messages(await engine.validate()).join()).toMatch(/Unsupported argument: .*"form".*Did you mean "from"\?/);
});

test("a provider that takes none says so", async () => {
  const engine = new TestEngine(meta('from = "x"') + small);
  expect(messages(await engine.validate()).join()).toMatch(/Provider millwright\/test doesn't support provider_meta/);
});
