import { listValue, mark, numberValue, objectValue, sensitive, stringValue } from "@millwright/value/value";
import { describe, expect, test } from "vitest";
import { secretReason, withoutSecrets } from "./secret-text.ts";

describe("a message about arguments", () => {
  const secret = mark(stringValue("hunter2"), sensitive);
  const cases = [
    {
      name: "stays where nothing is sensitive",
      message: 'cannot use "hunter2"',
      args: [stringValue("hunter2")],
      hidden: false,
    },
    {
      name: "stays where it tells nothing of a secret",
      message: "a number is required",
      args: [secret],
      hidden: false,
    },
    { name: "is replaced where it quotes a secret", message: 'cannot use "hunter2"', args: [secret], hidden: true },
    {
      name: "is replaced where it shows a part of a secret",
      message: "found unter instead",
      args: [secret],
      hidden: true,
    },
    { name: "is replaced for one inside of a list", message: "is hunter2", args: [listValue([secret])], hidden: true },
    {
      name: "is replaced for a sensitive number",
      message: "is 42",
      args: [mark(numberValue(42), sensitive)],
      hidden: true,
    },
    {
      name: "stays where a short secret is only part of a word",
      message: "is 1420",
      args: [mark(numberValue(42), sensitive)],
      hidden: false,
    },
    {
      name: "is replaced where it quotes a short secret",
      message: 'no "a"',
      args: [mark(stringValue("a"), sensitive)],
      hidden: true,
    },
    {
      name: "stays where a short secret is just a word",
      message: "a list",
      args: [mark(stringValue("a"), sensitive)],
      hidden: false,
    },
    {
      name: "is replaced for a key of a sensitive object",
      message: "no token1",
      args: [mark(objectValue({ token1: secret }), sensitive)],
      hidden: true,
    },
    {
      name: "stays for a key of an object with a sensitive value",
      message: "no token1",
      args: [objectValue({ token1: secret })],
      hidden: false,
    },
  ];
  test.each(cases)("$name", ({ message, args, hidden }) => {
    expect(withoutSecrets(message, args)).toBe(hidden ? secretReason : message);
  });
});
