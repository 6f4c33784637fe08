import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { schemaFacts } from "../test/schema-facts.ts";
import { builtinProviders } from "./registry.ts";

const names = builtinProviders.map(({ address }) => ({ address, name: address.split("/").at(-1)! }));

// The files hold what `terraform providers schema -json` says of the registry's providers at these versions.
test.each(names)(
  "$address has the attributes, flags and schema versions of the registry's",
  async ({ address, name }) => {
    const provider = await builtinProviders.find((builtin) => builtin.address === address)!.load();
    const want: unknown = JSON.parse(
      readFileSync(new URL(`../testdata/schemas/${name}.json`, import.meta.url), "utf8"),
    );
    expect(schemaFacts(await provider.schema())).toEqual(want);
  },
);

test("each load is an instance of its own", async () => {
  for (const { load } of builtinProviders) expect(await load()).not.toBe(await load());
});

test("the versions are those that the providers say of themselves", async () => {
  const modules = [
    (await import("./terraform/provider.ts")).terraformProvider(),
    (await import("./consul/provider.ts")).consulProvider(),
    (await import("./local/provider.ts")).localProvider,
    (await import("./nomad/provider.ts")).nomadProvider(),
    (await import("./random/provider.ts")).randomProvider(),
    (await import("./vault/provider.ts")).vaultProvider(),
  ];
  const said = modules.map(({ name, version }) => `${name} ${version}`);
  expect(builtinProviders.map(({ address, version }) => `${address.split("/").at(-1)} ${version}`)).toEqual(said);
});
