import { describe, expect, test } from "vitest";
import type { BlockSelector, BodyEdit } from "./edit.ts";
import {
  appendBlock,
  editBody,
  expressionText,
  findAttribute,
  findBlocks,
  openForEdit,
  removeAttribute,
  removeBlocks,
  renameBlocks,
  setAttribute,
} from "./edit.ts";
import { printLossless } from "./lossless.ts";
import { sourceFile } from "./source-file.ts";

function edited(source: string, path: readonly BlockSelector[], edit: BodyEdit): string {
  const { value, diagnostics } = openForEdit(sourceFile("main.tf", source));
  expect(diagnostics).toEqual([]);
  return printLossless(editBody(value, path, edit));
}

interface EditCase {
  name: string;
  source: string;
  path?: BlockSelector[];
  edit: BodyEdit;
  want: string;
}

const app = [{ type: "x", labels: ["app"] }];

describe("setAttribute", () => {
  const cases: EditCase[] = [
    {
      name: "changes the expression alone",
      source: "# lead\n  a   =  1   # why\nb = 2\n",
      edit: setAttribute("a", "[1, 2]"),
      want: "# lead\n  a   =  [1, 2]   # why\nb = 2\n",
    },
    {
      name: "puts a new one behind the last, as far in",
      source: 'x "app" {\n    a = 1 # c\n\n    y {}\n}\n',
      path: app,
      edit: setAttribute("b", "var.x"),
      want: 'x "app" {\n    a = 1 # c\n    b = var.x\n\n    y {}\n}\n',
    },
    {
      name: "fills an empty block",
      source: 'x "app" {}\n',
      path: app,
      edit: setAttribute("b", "1"),
      want: 'x "app" {\n  b = 1\n}\n',
    },
    {
      name: "fills a block that holds a comment alone",
      source: 'x "app" {\n  # nothing\n}\n',
      path: app,
      edit: setAttribute("b", "1"),
      want: 'x "app" {\n  b = 1\n  # nothing\n}\n',
    },
    {
      name: "breaks a block on one line",
      source: 'x "app" { a = 1 } # c\n',
      path: app,
      edit: setAttribute("b", "2"),
      want: 'x "app" {\n  a = 1\n  b = 2\n} # c\n',
    },
    { name: "ends the last line of a file", source: "a = 1", edit: setAttribute("b", "2"), want: "a = 1\nb = 2\n" },
    {
      name: "keeps carriage returns",
      source: "x {\r\n}\r\n",
      path: [{ type: "x" }],
      edit: setAttribute("b", "2"),
      want: "x {\r\n  b = 2\r\n}\r\n",
    },
    {
      name: "writes several lines",
      source: 'x "app" {\n}\n',
      path: app,
      edit: setAttribute("b", "{\na = 1\nlong = 2\n}"),
      want: 'x "app" {\n  b = {\n    a    = 1\n    long = 2\n  }\n}\n',
    },
  ];
  test.each(cases)("$name", ({ source, path = [], edit, want }) => {
    expect(edited(source, path, edit)).toBe(want);
  });

  test("takes no text that is not one expression", () => {
    expect(() => edited("a = 1\n", [], setAttribute("a", "1\nb = 2"))).toThrow("is not one expression");
    expect(() => edited("a = 1\n", [], setAttribute("a", ""))).toThrow("is not one expression");
  });
});

describe("the other edits", () => {
  const cases: EditCase[] = [
    {
      name: "remove an attribute with its comments",
      source: "# one\na = 1 # c\n\n# two\nb = 2\n",
      edit: removeAttribute("b"),
      want: "# one\na = 1 # c\n\n",
    },
    { name: "remove nothing that is not there", source: "a = 1\n", edit: removeAttribute("z"), want: "a = 1\n" },
    {
      name: "append a block behind a blank line",
      source: "a = 1\n",
      edit: appendBlock({
        type: "moved",
        attributes: [
          ["from", "x.a"],
          ["to", "x.b"],
        ],
      }),
      want: "a = 1\n\nmoved {\n  from = x.a\n  to   = x.b\n}\n",
    },
    {
      name: "append a nested block with labels",
      source: 'x "app" {\n  a = 1\n}\n',
      path: app,
      edit: appendBlock({ type: "y", labels: ['q"', "${z}"], blocks: [{ type: "z", attributes: [["k", "1"]] }] }),
      want: 'x "app" {\n  a = 1\n\n  y "q\\"" "$${z}" {\n    z {\n      k = 1\n    }\n  }\n}\n',
    },
    { name: "append to an empty file", source: "", edit: appendBlock({ type: "y" }), want: "y {\n}\n" },
    {
      name: "remove a block with one blank line",
      source: 'a = 1\n\n# gone\nx "app" {\n  b = 2\n} # gone\n\nx "other" {}\n',
      edit: removeBlocks({ type: "x", labels: ["app"] }),
      want: 'a = 1\n\nx "other" {}\n',
    },
    {
      name: "remove all blocks of a type",
      source: "x {}\ny {}\nx {}\n",
      edit: removeBlocks({ type: "x" }),
      want: "y {}\n",
    },
    {
      name: "rename a block and keep what it holds",
      source: "x   app /* c */   {   # c\n a=1\n}\n",
      edit: renameBlocks({ type: "x", labels: ["app"] }, { labels: ["new name"] }),
      want: 'x "new name" /* c */   {   # c\n a=1\n}\n',
    },
    {
      name: "change a block's type",
      source: 'x "app" {}\n',
      edit: renameBlocks({ type: "x" }, { type: "removed" }),
      want: 'removed "app" {}\n',
    },
    {
      name: "reach every block on the path",
      source: "x {\n  y {\n    a = 1\n  }\n}\nx {\n  y {\n  }\n  z {}\n}\n",
      path: [{ type: "x" }, { type: "y" }],
      edit: setAttribute("a", "3"),
      want: "x {\n  y {\n    a = 3\n  }\n}\nx {\n  y {\n    a = 3\n  }\n  z {}\n}\n",
    },
  ];
  test.each(cases)("$name", ({ source, path = [], edit, want }) => {
    expect(edited(source, path, edit)).toBe(want);
  });
});

test("blocks and attributes are found by name, with the text of their expressions", () => {
  const { value } = openForEdit(sourceFile("main.tf", 'x "a" b {\n  c = [1, # one\n 2]\n}\n'));
  const [block] = findBlocks(value.body, { type: "x", labels: ["a", "b"] });
  expect(expressionText(findAttribute(block!.body, "c")!)).toBe("[1, # one\n 2]");
  expect(findBlocks(value.body, { type: "x", labels: ["a"] })).toEqual([]);
  expect(findAttribute(value.body, "c")).toBeUndefined();
});

test("a path that leads nowhere leaves the file as it is", () => {
  const { value } = openForEdit(sourceFile("main.tf", "x {}\n"));
  expect(editBody(value, [{ type: "y" }], setAttribute("a", "1"))).toBe(value);
});
