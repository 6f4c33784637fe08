import { objectValue, stringValue, trueValue, type Value } from "@millwright/value/value";
import { describe, expect, test } from "vitest";
import { backendHash, backendNamed, backendPlain, backendValue, layOver } from "./configure.ts";

async function valueOf(type: string, config: Readonly<Record<string, Value>>) {
  const { value: backend } = await backendNamed(type);
  return { backend: backend!, ...backendValue(backend!, objectValue(Object.entries(config))) };
}
const s = stringValue;

describe("the number of a block is Terraform's", () => {
  // What terraform 1.11.4 wrote into .terraform/terraform.tfstate.
  const cases = [
    { type: "local", config: { path: s("x/y.tfstate") }, want: 1293398979 },
    { type: "http", config: { address: s("http://127.0.0.1:1/a") }, want: 4085649143 },
    {
      type: "consul",
      config: { address: s("127.0.0.1:28500"), scheme: s("http"), path: s("tf/state") },
      want: 2138861127,
    },
    {
      type: "s3",
      config: {
        bucket: s("b5b"),
        key: s("k/state"),
        region: s("us-east-1"),
        access_key: s("a"),
        secret_key: s("s"),
        use_lockfile: trueValue,
        use_path_style: trueValue,
        skip_credentials_validation: trueValue,
        skip_requesting_account_id: trueValue,
        skip_metadata_api_check: trueValue,
        endpoints: objectValue([["s3", s("http://127.0.0.1:28555")]]),
      },
      want: 1950058902,
    },
  ];
  test.each(cases)("$type", async ({ type, config, want }) => {
    const { value, diagnostics } = await valueOf(type, config);
    expect(diagnostics).toEqual([]);
    expect(backendHash(type, value)).toBe(want);
  });
});

test("what flags say is laid over the block, attribute by attribute", async () => {
  const { backend, value } = await valueOf("local", { path: s("a"), workspace_dir: s("w") });
  const over = await valueOf("local", { path: s("b") });
  expect(backendPlain(backend, layOver(value, over.value))).toEqual({ path: "b", workspace_dir: "w" });
});

test("an attribute that a backend does not have, or of another type, is an error", async () => {
  expect((await valueOf("local", { pfad: s("a") })).diagnostics[0]?.detail).toContain('there is no attribute "pfad"');
  const wrong = await valueOf("http", { skip_cert_verification: s("perhaps") });
  expect(wrong.diagnostics[0]?.detail).toContain('the value of "skip_cert_verification" is not suitable');
});

test("a backend that is Terraform's alone is told from one that nobody has", async () => {
  expect((await backendNamed("gcs")).diagnostics[0]?.summary).toBe("Unsupported backend type");
  expect((await backendNamed("konsul")).diagnostics[0]?.detail).toContain('Did you mean "consul"');
});
