import { systemChance } from "@millwright/core/ports";
import { expect, test } from "vitest";
import { loginName, loginPassword } from "./login-name.ts";

test.each([
  { displayName: "root", role: "readonly", want: /^v-root-readonly-[A-Za-z0-9]{20}-1700000000$/ },
  {
    displayName: "token-deployment",
    role: "read-only-reports",
    want: /^v-token-de-read-onl-[A-Za-z0-9]{20}-1700000000$/,
  },
  { displayName: `x"; DROP`, role: "a'b c", want: /^v-x---DROP-a-b-c-[A-Za-z0-9]{20}-1700000000$/ },
])("the login of $displayName for $role tells both, in plain letters", ({ displayName, role, want }) => {
  const name = loginName({ displayName, role, now: 1_700_000_000_999 }, systemChance);
  expect(name).toMatch(want);
  expect(name.length).toBeLessThanOrEqual(63);
});

test("passwords have 20 letters of four kinds and no dash in front, each its own", () => {
  const passwords = Array.from({ length: 500 }, () => loginPassword(systemChance));
  for (const password of passwords)
    expect(password).toMatch(/^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)(?=.*-)[A-Za-z0-9][\w-]{19}$/);
  expect(new Set(passwords).size).toBe(500);
});
