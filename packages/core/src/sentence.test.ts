import { expect, test } from "vitest";
import { asSentence } from "./sentence.ts";

test.each([
  { text: "it did not answer", want: "it did not answer." },
  { text: "It did not answer.", want: "It did not answer." },
  { text: "Its last words were:\n\n  panic: boom\n", want: "Its last words were:\n\n  panic: boom." },
  { text: "Who is there?", want: "Who is there?" },
])("$text is one sentence", ({ text, want }) => {
  expect(asSentence(text)).toBe(want);
});
