import { expect, test } from "vitest";
import { memoryStorage } from "../memory-storage.ts";
import { openPolicies } from "./policy-store.ts";

const readOnly = 'path "secret/*" { capabilities = ["read"] }';

test("keeps policies under lower-cased names, beside those built in", async () => {
  const policies = openPolicies({ storage: memoryStorage() });
  expect(await policies.put("App", readOnly)).toEqual({ kind: "done", warnings: [] });
  expect(await policies.list()).toEqual(["app", "default", "root"]);
  expect(await policies.get("APP")).toEqual({ name: "app", text: readOnly });
  expect((await policies.aclOf(["aPP"])).capabilities("secret/x")).toEqual(["read"]);
  await policies.delete("app");
  expect(await policies.get("app")).toBeUndefined();
  expect((await policies.aclOf(["app"])).capabilities("secret/x")).toEqual(["deny"]);
});

test("answers as another server wrote it a moment ago", async () => {
  const storage = memoryStorage();
  const [one, other] = [openPolicies({ storage }), openPolicies({ storage })];
  await one.put("app", readOnly);
  expect((await other.aclOf(["app", "default"])).capabilities("secret/x")).toEqual(["read"]);
  await one.put("app", 'path "secret/*" { capabilities = ["list"] }');
  expect((await other.aclOf(["app", "default"])).capabilities("secret/x")).toEqual(["list"]);
});

test("the policy root cannot be written or deleted, default only deleted not", async () => {
  const policies = openPolicies({ storage: memoryStorage() });
  expect(await policies.put("root", readOnly)).toEqual({ kind: "refused", why: 'cannot update "root" policy' });
  expect(await policies.delete("root")).toEqual({ kind: "refused", why: 'cannot delete "root" policy' });
  expect(await policies.delete("default")).toEqual({ kind: "refused", why: 'cannot delete "default" policy' });
  expect((await policies.aclOf(["default"])).capabilities("auth/token/lookup-self")).toEqual(["read"]);
  await policies.put("default", readOnly);
  expect((await policies.aclOf(["default"])).capabilities("auth/token/lookup-self")).toEqual(["deny"]);
  expect((await policies.aclOf(["root"])).isRoot).toBe(true);
});

test("writes nothing of a policy with faults, or a name that cannot be", async () => {
  const policies = openPolicies({ storage: memoryStorage() });
  expect(await policies.put("app", 'path "x" { capabilities = ["reed"] }')).toMatchObject({
    kind: "faulty",
    diagnostics: [{ summary: "Invalid capability", subject: { filename: "app.hcl" } }],
  });
  for (const name of ["", "a/b", "a b", ".."]) expect((await policies.put(name, readOnly)).kind).toBe("refused");
  expect(await policies.put("app", " \n")).toMatchObject({ kind: "refused" });
  expect(await policies.list()).toEqual(["default", "root"]);
});
