import { describe, expect, test } from "vitest";
import { filesOf } from "../node-files.ts";
import { testFilesOf } from "./find.ts";
import { readTestFile } from "./read.ts";
import { waitsOf } from "./run-file.ts";

function files(named: Readonly<Record<string, string>>) {
  return filesOf(new Map(Object.entries(named).map(([path, text]) => [path, new TextEncoder().encode(text)])));
}

function read(text: string) {
  return readTestFile(files({ "a.tftest.hcl": text }), "a.tftest.hcl");
}

describe("a test file is refused", () => {
  test.each([
    { name: "with two runs of one name", text: 'run "a" {}\nrun "a" {}\n', want: 'Duplicate "run" block names' },
    {
      name: "with a command that is none",
      text: 'run "a" {\n command = destroy\n}\n',
      want: 'Invalid "command" keyword',
    },
    { name: "with a name that is none", text: 'run "a b" {}\n', want: "Invalid run block name" },
    { name: "with a block of a configuration", text: 'resource "a" "b" {}\n', want: "Unsupported block type" },
    {
      name: "with an assertion that asserts nothing",
      text: 'run "a" {\n assert {\n condition = true\n error_message = "x"\n }\n}\n',
      want: "Invalid assert expression",
    },
    {
      name: "with an override of the wrong kind",
      text: "override_data {\n target = terraform_data.a\n}\n",
      want: "Invalid override target",
    },
    {
      name: "with defaults that are no object",
      text: 'mock_provider "a" {\n mock_resource "a_b" {\n defaults = "x"\n }\n}\n',
      want: "Invalid defaults attribute",
    },
    {
      name: "with values that refer to something",
      text: "override_resource {\n target = a_b.c\n values = { id = var.x }\n}\n",
      want: "Variables not allowed",
    },
    {
      name: "with a folder of mocks that is not there",
      text: 'mock_provider "a" {\n source = "./nowhere"\n}\n',
      want: "Failed to read mock data source",
    },
  ])("$name", ({ text, want }) => {
    expect(read(text).diagnostics.map((diagnostic) => diagnostic.summary)).toContain(want);
  });
});

test("runs wait for all before them, unless both say that they may go side by side", () => {
  const { value } = read(`
run "a" {}
run "b" {
  parallel  = true
  state_key = "b"
}
run "c" {
  parallel  = true
  state_key = "c"
}
run "d" {
  parallel  = true
  state_key = "b"
}
run "e" {
  parallel  = true
  state_key = "e"
  variables {
    x = run.c.y
  }
}
`);
  expect(waitsOf(value.runs)).toEqual([[], [0], [0], [0, 1], [0, 2]]);
});

test("test files are those of the folder and of its folder of tests, in the order of their names", () => {
  const all = files({
    "b.tftest.hcl": "",
    "main.tf": "",
    "tests/a.tftest.json": "",
    "tests/c.tftest.hcl": "",
    "tests/c.tofutest.hcl": "",
    "other/d.tftest.hcl": "",
  });
  expect(testFilesOf(all, "tests")).toEqual(["b.tftest.hcl", "tests/a.tftest.json", "tests/c.tofutest.hcl"]);
  expect(testFilesOf(all, "./other/")).toEqual(["b.tftest.hcl", "other/d.tftest.hcl"]);
});
