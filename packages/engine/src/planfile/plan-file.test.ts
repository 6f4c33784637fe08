import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { numberType, stringType } from "@millwright/value/types";
import {
  dynamicValue,
  ephemeral,
  listValue,
  mapValue,
  mark,
  nullValue,
  numberValue,
  objectValue,
  sensitive,
  setValue,
  stringValue,
  tupleValue,
  unknownValue,
  type Value,
} from "@millwright/value/value";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Plan } from "../plan/plan.ts";
import { plainOf, TestEngine } from "../testing/test-engine.ts";
import { writeStateFile } from "../statefile/write.ts";
import { decodeValue, encodeValue } from "./codec.ts";
import { readPlanFile, writePlanFile } from "./plan-file.ts";

let folder = "";
let path = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "plan-"));
  path = join(folder, "tfplan");
});
afterEach(() => rmSync(folder, { recursive: true }));

const primitives: fc.Arbitrary<Value> = fc.oneof(
  fc.string({ unit: "grapheme" }).map((text) => stringValue(text.normalize("NFC"))),
  fc.integer().map((n) => numberValue(n)),
  fc.constantFrom(
    nullValue(stringType),
    unknownValue(numberType),
    unknownValue(stringType, { notNull: true, prefix: "a" }),
    dynamicValue,
  ),
);
const marked = fc.tuple(primitives, fc.subarray([sensitive, ephemeral])).map(([value, marks]) => mark(value, ...marks));
const values: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    marked,
    fc.array(tie("value"), { maxLength: 3 }).map(tupleValue),
    fc.dictionary(fc.stringMatching(/^[a-z]{1,4}$/), tie("value"), { maxKeys: 3 }).map(objectValue),
    fc.array(fc.integer(), { maxLength: 3 }).map((list) =>
      listValue(
        list.map((n) => mark(numberValue(n), sensitive)),
        numberType,
      ),
    ),
    fc.uniqueArray(fc.integer(), { maxLength: 3 }).map((set) =>
      mark(
        setValue(
          set.map((n) => numberValue(n)),
          numberType,
        ),
        sensitive,
      ),
    ),
    fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }).map((map) =>
      mapValue(
        Object.entries(map).map(
          ([k, v]) => [k.normalize("NFC"), mark(stringValue(v.normalize("NFC")), sensitive)] as const,
        ),
        stringType,
      ),
    ),
  ),
})).value;

test("any value comes back as it was, with its type, unknowns and marks", () => {
  fc.assert(
    fc.property(values, (value) => {
      expect(decodeValue(JSON.parse(JSON.stringify(encodeValue(value))))).toEqual(value);
    }),
    { numRuns: 300 },
  );
});

const madeFirst = "lifecycle {\n create_before_destroy = true\n}";
const configuration = (n: number) => `variable "s" {
  default   = "hunter2"
  sensitive = true
}
resource "test_small" "a" {
  for_each = { x = 1, "q\\"[0]" = test_small.b.echo }
  name     = each.key
  value    = each.value
}
resource "test_small" "b" {
  name  = "b"
  value = var.s
  force = "${n}"
  ${madeFirst}
}
data "test_lookup" "d" {
  name = test_small.b.echo
}
resource "test_thing" "t" {
  count  = 2
  name   = "t${n}"
  zone   = "${n}"
  labels = { k = "${n}" }
  row {
    label = "l"
  }
}
output "o" {
  value = test_small.b.id
}
`;

/** A plan with every kind of thing in it. */
async function aPlan(engine: TestEngine): Promise<Plan> {
  await engine.given(configuration(1));
  engine.provider.world.store("test_thing-1", { text: "theirs" });
  engine.configure(configuration(2));
  const { plan } = await engine.plan({ forceReplace: ["test_thing.t[1]"] });
  return {
    ...plan,
    settled: ["test_small.z"],
    targets: ["test_small.a"],
    checks: [{ kind: "var", configAddress: "var.s", instanceAddress: "var.s", status: "fail", problems: ["p"] }],
  };
}

test("a whole plan comes back as it was", async () => {
  const plan = await aPlan(new TestEngine(""));
  const files = new Map([["main.tf", new Uint8Array([0, 255, 10])]]);
  const providers = new Map([["registry.terraform.io/millwright/test", "1.0.0"]]);
  writePlanFile(path, { plan, files, providers, contribution: "c" });
  const read = readPlanFile(path);
  expect(Object.keys(read.plan).sort()).toEqual(Object.keys(plan).sort());
  const first = gunzipSync(readFileSync(path));
  writePlanFile(path, read);
  expect(gunzipSync(readFileSync(path)).equals(first)).toBe(true);
  expect(
    read.plan.changes.map(({ address, action, reason, before, after }) => [
      address,
      action,
      reason,
      plainOf(before),
      plainOf(after),
    ]),
  ).toEqual(
    plan.changes.map(({ address, action, reason, before, after }) => [
      address,
      action,
      reason,
      plainOf(before),
      plainOf(after),
    ]),
  );
  expect(read).toMatchObject({ files, providers, contribution: "c" });
  expect([...read.plan.priorState.resources.keys()].sort()).toEqual([...plan.priorState.resources.keys()].sort());
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("a plan out of a file does what the plan itself would have done", async () => {
  const run = async (through: (plan: Plan) => Plan) => {
    const engine = new TestEngine("");
    const plan = { ...(await aPlan(engine)), targets: [] };
    const result = await engine.apply(through(plan));
    expect(result.diagnostics).toEqual([]);
    return writeStateFile({ lineage: "l", serial: 1, state: result.state });
  };
  const direct = await run((plan) => plan);
  const saved = await run((plan) => {
    writePlanFile(path, { plan, files: new Map(), providers: new Map() });
    return readPlanFile(path).plan;
  });
  expect(saved).toEqual(direct);
});

describe("what is no plan is refused", () => {
  const cases: readonly [string, Uint8Array | undefined, RegExp][] = [
    ["a file that is not there", undefined, /ENOENT/],
    ["an empty file", new Uint8Array(0), /it is no plan file/],
    ["a text", Buffer.from("{}"), /it is no plan file. "plan -out=FILE" writes one/],
    ["a plan of Terraform", Buffer.from("PK\u0003\u0004"), /made by Terraform or OpenTofu/],
    ["something else, compressed", gzipSync("{}"), /it is no plan file/],
    ["a plan of another version", gzipSync('{"kind":"millwright-plan","format":99}'), /format 99.*Make a new plan/],
    ["compressed garbage", gzipSync("garbage"), /damaged or cut off/],
    ["a document without its parts", gzipSync('{"kind":"millwright-plan","format":1}'), /damaged or cut off/],
  ];
  for (const [name, bytes, want] of cases) {
    test(name, () => {
      if (bytes) writeFileSync(path, bytes);
      expect(() => readPlanFile(path)).toThrow(want);
    });
  }

  test("a plan that was cut off, wherever", async () => {
    const plan = await aPlan(new TestEngine(""));
    writePlanFile(path, { plan, files: new Map(), providers: new Map() });
    const whole = readFileSync(path);
    for (let at = 2; at < whole.length; at += 211) {
      writeFileSync(path, whole.subarray(0, at));
      expect(() => readPlanFile(path)).toThrow(/damaged or cut off/);
    }
  });
});
