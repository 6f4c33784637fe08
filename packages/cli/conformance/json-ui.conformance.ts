import { spawnSync } from "node:child_process";
import { devNull } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestFolder } from "../test/folder.ts";

/* The JSON that commands print, beside the real terraform's for the same folder and the same lines. */

const configuration = {
  "main.tf": `
variable "v" {
  default = "a"
}
variable "secret" {
  default   = "hunter2"
  sensitive = true
}
resource "terraform_data" "one" {
  input            = { v = var.v, list = [1, 2], none = null }
  triggers_replace = var.v == "c" ? "x" : null
}
resource "terraform_data" "two" {
  count = var.v == "a" ? 2 : 1
  input = terraform_data.one.output
}
resource "terraform_data" "each" {
  for_each = toset(["x", "y z"])
  input    = "\${each.key} \${var.secret}"
}
module "inner" {
  source = "./inner"
  name   = var.v
}
output "one" {
  value = terraform_data.one.output
}
output "secret" {
  value     = var.secret
  sensitive = true
}
output "list" {
  value = ["a", 1]
}
`,
  "inner/main.tf": `
variable "name" {}
resource "terraform_data" "here" {
  input = "in \${var.name}"
  lifecycle {
    create_before_destroy = true
  }
}
output "id" {
  value = terraform_data.here.id
}
`,
};

/** The lines, in the order they are run; what one leaves the next one finds. */
const lines = [
  "version -json",
  "validate -json",
  "plan -json",
  "show -json",
  "apply -json -auto-approve",
  "plan -json",
  "apply -json -auto-approve",
  "show -json",
  "output -json",
  "output -json one",
  "providers schema -json",
  "plan -json -var=v=b -out=b.plan",
  "show -json b.plan",
  "apply -json b.plan",
  "apply -json -auto-approve -var=v=c",
  "plan -json -var=v=c -replace=terraform_data.one -out=c.plan",
  "show -json c.plan",
  "plan -json -destroy -out=d.plan",
  "show -json d.plan",
  "plan -json -var=nope=1",
  "destroy -json -auto-approve",
  "show -json",
] as const;

interface Answer {
  readonly code: number;
  readonly documents: readonly unknown[];
}

const environment = { TF_CLI_CONFIG_FILE: devNull, CHECKPOINT_DISABLE: "1" };
const found = spawnSync("terraform", ["version"], { env: { ...process.env, ...environment } }).status === 0;
if (!found) console.warn("terraform was not found on the PATH: the JSON of the commands is not compared.");

describe.skipIf(!found)("what is printed as JSON is what the real terraform prints", () => {
  const theirs = new TestFolder(configuration);
  const ours = new TestFolder(configuration);
  const answers = new Map<number, readonly [Answer, Answer]>();

  beforeAll(async () => {
    real("init");
    for (const [i, line] of lines.entries()) answers.set(i, [real(line), await own(line)]);
  });
  afterAll(() => {
    theirs.remove();
    ours.remove();
  });

  function real(line: string): Answer {
    const env = { ...process.env, ...environment };
    const run = spawnSync("terraform", line.split(" "), {
      cwd: theirs.path,
      encoding: "utf8",
      env,
      maxBuffer: 1 << 26,
    });
    return { code: run.status ?? -1, documents: documentsIn(run.stdout) };
  }

  async function own(line: string): Promise<Answer> {
    const { code, out } = await ours.run(line.split(" "), {}, "terraform");
    return { code, documents: documentsIn(out) };
  }

  test.each([...lines.entries()])("%i: %s", (i) => {
    const [wanted, got] = answers.get(i)!;
    expect(got.code).toBe(wanted.code);
    expect(comparable(got.documents)).toEqual(comparable(wanted.documents));
  });
});

/** One document, or one a line. */
function documentsIn(text: string): unknown[] {
  if (!text.startsWith("{") && !text.startsWith("[")) return [];
  try {
    return [JSON.parse(text)];
  } catch {
    return text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
  }
}

/** Without what differs from run to run, and what the documentation says is not there; lines in a fixed order. */
function comparable(documents: readonly unknown[]): unknown[] {
  const ids = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
  const texts = documents.map((document) =>
    JSON.stringify(document, (key, value: unknown) => {
      if (dropped.has(key)) return undefined;
      // The real one has them in another order each time.
      if (key === "relevant_attributes" && Array.isArray(value))
        return value.map((one) => JSON.stringify(one).replace(ids, "ID")).sort();
      if (isRecord(value) && "return_type" in value) return { ...value, summary: undefined };
      // On a busy machine one takes a second and the other does not.
      if (key === "elapsed_seconds") return 0;
      if (typeof value === "string") return value.replace(ids, "ID").replace(/ after \d+s/, " after 0s");
      return isRecord(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value;
    }),
  );
  return texts.sort().map((text) => JSON.parse(text) as unknown);
}

const dropped: ReadonlySet<string> = new Set([
  "@timestamp",
  "timestamp",
  "provider_selections",
  "millwright_version",
  // What a schema says for people is in words of our own.
  "description",
  "description_kind",
]);

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
