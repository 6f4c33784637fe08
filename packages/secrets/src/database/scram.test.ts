import { systemChance } from "@millwright/core/ports";
import { expect, test } from "vitest";
import { scramVerifier } from "./scram.ts";

test("the verifier is what PostgreSQL itself stores of the password and the salt", async () => {
  // Of a server that was given the plain password 'pencil': SELECT rolpassword FROM pg_authid.
  const stored =
    "SCRAM-SHA-256$4096:3WFdJ+2I08uqq+s3z5Oz9Q==$DxofQ1wEjxQlLY1zuOjpkXA0BvO+QtUTntYmHT/M1vU=:qJx7ZZ7B5PoIbH9OCH7pQ23uZbU5rH+15QgxTL/+9Rg=";
  const salt = Buffer.from(/:(.*)\$/.exec(stored)?.[1] ?? "", "base64");
  expect(await scramVerifier("pencil", { ...systemChance, bytes: () => salt })).toBe(stored);
});
