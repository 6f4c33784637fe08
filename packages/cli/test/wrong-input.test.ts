import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemChance, systemClock } from "@millwright/core/ports";
import { LocalSlot } from "@millwright/engine/backend/local-storage";
import { newLockInfo } from "@millwright/engine/backend/lock-info";
import { takeLock } from "@millwright/engine/backend/storage";
import { afterEach, describe, expect, test } from "vitest";
import type { CommandSetting } from "./kv-io.ts";
import { TestFolder } from "./folder.ts";

interface Case {
  readonly name: string;
  readonly files?: Readonly<Record<string, string>>;
  /** Lines run before, which must succeed. */
  readonly first?: readonly (readonly string[])[];
  readonly spoil?: (folder: TestFolder) => void;
  readonly run: readonly string[];
  readonly setting?: CommandSetting;
  readonly code?: number;
  readonly says: readonly string[];
}

const one = { "main.tf": 'resource "terraform_data" "one" {\n  input = "a"\n}\n' };
const withVariable = { "main.tf": 'variable "name" {\n  type = number\n}\noutput "o" {\n  value = var.name\n}\n' };
const applied = [["apply", "-auto-approve"]];
const planned = [["plan", "-out=p"]];

const cases: readonly Case[] = [
  {
    name: "a misspelt attribute",
    files: { "main.tf": 'resource "terraform_data" "one" {\n  inptu = "a"\n}\n' },
    run: ["apply", "-auto-approve"],
    says: [
      "Unsupported argument",
      'Did you mean "input"?',
      "on main.tf line 2",
      '   2:   inptu = "a"',
      "        ^^^^^",
    ],
  },
  {
    name: "a value of a wrong type",
    files: { "main.tf": 'resource "local_file" "f" {\n  filename = ["a"]\n  content  = "x"\n}\n' },
    run: ["apply", "-auto-approve"],
    says: ["Incorrect attribute value type", "string required", '   2:   filename = ["a"]', "                   ^^^^^"],
  },
  {
    name: "a server that cannot be reached",
    files: {
      "main.tf":
        'provider "consul" {\n  address = "127.0.0.1:1"\n}\nresource "consul_key_prefix" "a" {\n  path_prefix = "a/"\n  subkeys = { x = "1" }\n}\n',
    },
    run: ["apply", "-auto-approve"],
    says: ["127.0.0.1:1", "with consul_key_prefix.a", "Check that a server runs there"],
  },
  { name: "a misspelt flag", files: one, run: ["plan", "-ot=x"], says: ["not defined: -ot", "Did you mean -out?"] },
  { name: "a misspelt command", files: one, run: ["pln"], says: ['no command named "pln"', 'Did you mean "plan"?'] },
  {
    name: "a misspelt subcommand",
    files: one,
    run: ["state", "shw"],
    says: ['no "state shw"', 'Did you mean "state show"?'],
  },
  {
    name: "a variable without a value",
    files: withVariable,
    run: ["apply", "-auto-approve", "-input=false"],
    says: ["No value for required variable", '"name"', "-var"],
  },
  {
    name: "a -var without a value",
    files: withVariable,
    run: ["plan", "-var", "name"],
    says: ["Invalid -var option", '"name"', "equals sign"],
  },
  {
    name: "a -var of another type",
    files: withVariable,
    run: ["plan", "-var", "name=x"],
    says: ["a number is required", "-var"],
  },
  {
    name: "a -var that is not declared",
    files: withVariable,
    run: ["plan", "-var=name=1", "-var", "nam=1"],
    says: ["undeclared variable", 'Did you mean "name"?'],
  },
  { name: "a -var-file that is not there", files: one, run: ["plan", "-var-file=x.tfvars"], says: ["x.tfvars"] },
  {
    name: "a target that is no address",
    files: one,
    run: ["plan", "-target=one"],
    says: ['Invalid target "one"', "state list"],
  },
  {
    name: "a replacement that is no instance",
    files: one,
    run: ["apply", "-auto-approve", "-replace=module.a"],
    says: ["Invalid force-replace address", "module.a"],
  },
  {
    name: "no parallelism",
    files: one,
    run: ["apply", "-auto-approve", "-parallelism=0"],
    says: ["Invalid -parallelism"],
  },
  {
    name: "a number that is none",
    files: one,
    run: ["plan", "-parallelism=x"],
    says: ['invalid value "x"', "whole number"],
  },
  {
    name: "two modes at once",
    files: one,
    run: ["plan", "-destroy", "-refresh-only"],
    says: ["Incompatible plan mode options"],
  },
  {
    name: "a folder that is not there for the plan",
    files: one,
    run: ["plan", "-out=no/p"],
    says: ["Cannot save the plan", "no folder"],
  },
  {
    name: "a plan file that is not there",
    files: one,
    run: ["apply", "p"],
    says: ["Failed to load plan file", "plan -out=p"],
  },
  {
    name: "a folder as a plan file",
    files: { ...one, "d/x": "" },
    run: ["apply", "d"],
    says: ["Invalid plan file", "-chdir"],
  },
  {
    name: "a file that is no plan",
    files: one,
    run: ["apply", "main.tf"],
    says: ["Invalid plan file", "plan -out=FILE"],
  },
  {
    name: "a plan file of Terraform",
    files: { ...one, p: "PK\u0003\u0004rest" },
    run: ["apply", "p"],
    says: ["Invalid plan file", "made by Terraform"],
  },
  {
    name: "a plan file that is cut off",
    files: one,
    first: planned,
    spoil: (folder) => truncate(folder, "p"),
    run: ["apply", "p"],
    says: ["Invalid plan file", "damaged or cut off", "Make a new plan"],
  },
  {
    name: "a plan file that is cut off, shown",
    files: one,
    first: planned,
    spoil: (folder) => truncate(folder, "p"),
    run: ["show", "p"],
    says: ["damaged or cut off"],
  },
  {
    name: "a stale plan",
    files: one,
    first: [...planned, ...applied],
    run: ["apply", "p"],
    says: ["Saved plan is stale", "Make a new plan"],
  },
  {
    name: "a variable that is not declared, with a saved plan",
    files: one,
    first: planned,
    run: ["apply", "-var=a=b", "p"],
    says: ["Value for undeclared variable"],
  },
  {
    name: "a damaged state",
    files: { ...one, "terraform.tfstate": '{"version": 4, "resources": [' },
    run: ["plan"],
    says: ["terraform.tfstate"],
  },
  {
    name: "a state of a later version",
    files: { ...one, "terraform.tfstate": '{"version": 99}' },
    run: ["plan"],
    says: ["terraform.tfstate", "99"],
  },
  { name: "a folder without configuration", run: ["plan"], says: ["No configuration files", "-chdir=DIR"] },
  { name: "a folder that is not there", run: ["-chdir=no", "plan"], says: ["no folder", "/no"] },
  { name: "an unknown global flag", run: ["-nochdir=x", "plan"], says: ["-nochdir=x", "-chdir=DIR"] },
  {
    name: "no answer to the question",
    files: one,
    run: ["apply"],
    says: ["no answer", "cancelled", "Nothing was changed"],
  },
  {
    name: "another answer than yes",
    files: one,
    run: ["apply"],
    setting: { stdin: "y\n" },
    says: ["cancelled", "Nothing was changed"],
  },
  {
    name: "no to the question whether to destroy",
    files: one,
    first: applied,
    run: ["destroy"],
    setting: { stdin: "no\n" },
    says: ["Destroy cancelled"],
  },
  { name: "nobody to ask", files: one, run: ["apply", "-input=false"], says: ["Nobody to ask", "-auto-approve"] },
  {
    name: "nobody to ask, says the environment",
    files: one,
    run: ["apply"],
    setting: { env: { TF_INPUT: "false" } },
    says: ["Nobody to ask"],
  },
  { name: "-json with nobody to ask", files: one, run: ["apply", "-json"], says: ["auto-approve required"] },
  { name: "too many arguments", files: one, run: ["apply", "a", "b"], says: ["Too many command line arguments"] },
  { name: "an argument for plan", files: one, run: ["plan", "a"], says: ["Too many command line arguments", "-chdir"] },
  {
    name: "too few arguments",
    files: one,
    run: ["import", "terraform_data.one"],
    says: ["exactly 2 arguments", "import [flags] ADDRESS ID"],
  },
  {
    name: "a backend that is not agreed on",
    files: { "main.tf": 'terraform {\n  backend "http" {\n    address = "http://127.0.0.1:1/state"\n  }\n}\n' },
    run: ["plan"],
    says: ["Backend initialization required", 'Initial configuration of the requested backend "http"'],
  },
  {
    name: "a backend that is Terraform's alone",
    files: { "main.tf": 'terraform {\n  backend "gcs" {}\n}\n' },
    run: ["plan"],
    says: ["Unsupported backend type", '"gcs" is one of Terraform\'s'],
  },
  {
    name: "an open quote in TF_CLI_ARGS",
    files: one,
    run: ["plan"],
    setting: { env: { TF_CLI_ARGS_plan: "-var='a" } },
    says: ["Invalid TF_CLI_ARGS_plan"],
  },
  {
    name: "state show of what is not there",
    files: one,
    first: applied,
    run: ["state", "show", "terraform_data.on"],
    says: ["Did you mean terraform_data.one?", "state list"],
  },
  {
    name: "state rm of what is not there",
    files: one,
    first: applied,
    run: ["state", "rm", "terraform_data.on"],
    says: ["Did you mean terraform_data.one?"],
  },
  {
    name: "state mv of what is not there",
    files: one,
    first: applied,
    run: ["state", "mv", "terraform_data.on", "terraform_data.x"],
    says: ["Did you mean terraform_data.one?"],
  },
  {
    name: "state mv to another type",
    files: one,
    first: applied,
    run: ["state", "mv", "terraform_data.one", "local_file.x"],
    says: ["another type is another object"],
  },
  {
    name: "state list without a state",
    files: one,
    run: ["state", "list"],
    says: ["No state file was found", "-state=FILE"],
  },
  {
    name: "taint of what is not there",
    files: one,
    first: applied,
    run: ["taint", "terraform_data.two"],
    says: ["No such resource instance"],
  },
  {
    name: "an output that is not there",
    files: one,
    first: applied,
    run: ["output", "x"],
    says: ['Output "x" not found'],
  },
  { name: "a file to show that is not there", files: one, run: ["show", "x"], says: ["no file x"] },
  {
    name: "fmt -check of a file to be laid out",
    files: { "main.tf": 'a="b"\n' },
    run: ["fmt", "-check"],
    code: 3,
    says: ["main.tf"],
  },
  {
    name: "fmt of a file with a fault",
    files: { "main.tf": "a = \n" },
    run: ["fmt"],
    code: 2,
    says: ["on main.tf line 1"],
  },
  { name: "fmt of what is not there", run: ["fmt", "x"], code: 2, says: ["nothing at"] },
  {
    name: "fmt of another kind of file",
    files: { "a.txt": "" },
    run: ["fmt", "a.txt"],
    code: 2,
    says: ["a.txt is none of these"],
  },
  {
    name: "validate of a fault in the syntax",
    files: { "main.tf": "a {\n" },
    run: ["validate"],
    says: ["on main.tf line 1"],
  },
  {
    name: "a default of another type",
    files: { "main.tf": 'variable "a" {\n  type    = number\n  default = "x"\n}\n' },
    run: ["validate"],
    says: ["Invalid default value", '   3:   default = "x"', "a number is required"],
  },
  {
    name: "an expression with a fault",
    files: one,
    run: ["console"],
    setting: { stdin: "1 +\n" },
    says: ["<console-input>"],
  },
  {
    name: "an expression of an unknown function",
    files: one,
    run: ["console"],
    setting: { stdin: 'uper("x")\n' },
    says: ['Did you mean "upper"?'],
  },
  {
    name: "a provider that is not there",
    files: { "main.tf": 'resource "aws_instance" "a" {}\n' },
    run: ["plan"],
    says: ["hashicorp/aws"],
  },
];

test("a state that is held by another run says by whom, since when and for what", async () => {
  const folder = new TestFolder(one);
  const path = join(folder.path, "terraform.tfstate");
  const ports = { clock: systemClock, chance: systemChance };
  const info = newLockInfo({ operation: "OperationTypeApply", version: "0.1.0", path }, ports);
  const { signal } = new AbortController();
  const lock = await takeLock(new LocalSlot(path), { info, timeout: 0, clock: systemClock, signal });
  try {
    const before = folder.everything();
    const { code, err } = await folder.run(["plan"]);
    expect(code).toBe(1);
    for (const words of ["Error acquiring the state lock", "since", "OperationTypeApply", "-lock-timeout"])
      expect(err).toContain(words);
    const json = await folder.run(["plan", "-json"]);
    expect(json.out).toContain('"@message":"Error: Error acquiring the state lock"');
    expect((await folder.run(["plan", "-lock=false"])).code).toBe(0);
    expect(folder.everything()).toEqual(before);
  } finally {
    await lock.release();
    folder.remove();
  }
});

function truncate(folder: TestFolder, name: string): void {
  const bytes = Buffer.from(folder.everything()[name]!, "base64");
  writeFileSync(join(folder.path, name), bytes.subarray(0, bytes.length / 2));
}

describe("wrong input ends with an error, says where and what to do, and changes nothing", () => {
  let folder: TestFolder | undefined;
  afterEach(() => folder?.remove());

  test.each(cases)("$name", async ({ files, first = [], spoil, run, setting, code = 1, says }) => {
    folder = new TestFolder(files);
    for (const line of first) await folder.must(...line);
    spoil?.(folder);
    const before = folder.everything();
    const outcome = await folder.run(run, setting);
    const text = outcome.out + outcome.err;
    // Lines are broken where the width ends: what is said is looked for as if it were one line.
    const joined = text.replace(/\n│ (?=\S)/g, " ");
    for (const words of says) expect(text.includes(words) ? words : joined).toContain(words);
    expect(outcome.code).toBe(code);
    expect(text).not.toContain("bug in Millwright");
    expect(folder.everything()).toEqual(before);
  });
});
