import { expect, test } from "vitest";
import { compileDiagnostic } from "./compile-diagnostic.ts";

const message = (text: string, notes: readonly string[]) => ({
  id: "",
  pluginName: "",
  text,
  location: null,
  notes: notes.map((note) => ({ text: note, location: null })),
  detail: undefined,
});

test.each([
  {
    name: "a note is told after what it is of",
    given: message('"x" has already been declared', ['"x" was declared here:']),
    want: '"x" has already been declared. "x" was declared here:',
  },
  {
    name: "advice on options of the bundler is left out",
    given: message('Could not resolve "moment"', [
      'You can mark the path "moment" as external to exclude it from the bundle, which will remove this error.',
    ]),
    want: 'Could not resolve "moment".',
  },
])("$name", ({ given, want }) => {
  expect(compileDiagnostic("Stack does not compile", given).detail).toBe(want);
});
