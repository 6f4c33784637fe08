import { expect, test } from "vitest";
import { readStateFile } from "./read.ts";
import { withDefaultRegistry } from "./tofu-registry.ts";

const providers = [
  'provider["registry.opentofu.org/hashicorp/random"]',
  'module.m.provider["registry.opentofu.org/acme/thing"].west',
  'provider["registry.opentofu.org/acme/own"]',
  'provider["example.com/acme/thing"]',
];
const resources = providers.map((provider, i) => ({
  mode: "managed",
  type: "thing",
  name: `n${i}`,
  provider,
  instances: [{ schema_version: 0, attributes: {} }],
}));
const text = JSON.stringify({ version: 4, lineage: "l", serial: 1, terraform_version: "1.12.6", resources });
const { state } = readStateFile(text, "state").value;

test("providers of OpenTofu's registry are those of the default one, unless they are asked for in full", () => {
  const read = withDefaultRegistry(state, () => new Set(["registry.opentofu.org/acme/own"]));
  expect([...read.resources.values()].map(({ provider }) => provider)).toEqual([
    'provider["registry.terraform.io/hashicorp/random"]',
    'module.m.provider["registry.terraform.io/acme/thing"].west',
    ...providers.slice(2),
  ]);
});

test("a state without any is given back, and nobody is asked", () => {
  const others = { ...state, resources: new Map([...state.resources].slice(3)) };
  const asked = () => {
    throw new Error("asked");
  };
  expect(withDefaultRegistry(others, asked)).toBe(others);
});
