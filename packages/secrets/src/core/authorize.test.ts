import { describe, expect, test } from "vitest";
import { openTestServer, type TestServer } from "../../test/secrets-server.ts";

const everything = 'path "*" { capabilities = ["create", "read", "update", "patch", "delete", "list"] }';

describe("a path that a policy denies", () => {
  for (const { name, line, headers = {} } of [
    { name: "in an encoded form", line: "GET plain%2Fprivate%2Fa" },
    { name: "with slashes beside each other", line: "GET plain//private//a" },
    { name: "with a slash at its end", line: "GET plain/private/a/" },
    { name: "by way of another segment", line: "GET plain/open/..%2Fprivate/a" },
    { name: "by way of an encoded dot", line: "GET plain/open/%2e%2e/private/a" },
    { name: "as a list of its folder", line: "LIST plain/private" },
    { name: "as a list by the query", line: "GET plain/private?list=true" },
    { name: "as a list by the query, with a slash", line: "GET plain/private/?list=1" },
    { name: "by HEAD", line: "HEAD plain/private/a" },
    { name: "with a namespace that is none", line: "GET plain/private/a", headers: { "x-vault-namespace": "/" } },
    { name: "with the method in a header", line: "GET plain/private/a", headers: { "x-http-method-override": "LIST" } },
    { name: "to be wrapped", line: "GET plain/private/a", headers: { "x-vault-wrap-ttl": "60" } },
  ]) {
    test(`is not to be had ${name}`, async () => {
      await over(async ({ call, ask, login }) => {
        await call("POST sys/mounts/plain", { type: "kv" });
        await call("PUT plain/private/a", { v: "hunter2" });
        const token = await login(`${everything}\npath "plain/private/*" { capabilities = ["deny"] }`);
        const reply = await ask(line, undefined, { token, headers });
        expect([400, 403]).toContain(reply.status);
        expect(reply.text).not.toMatch(/hunter2|"a"/);
      });
    });
  }

  test("does not tell whether there is something", async () => {
    await over(async ({ call, ask, login }) => {
      await call("PUT secret/data/there", { data: { v: 1 } });
      const token = await login('path "secret/metadata/*" { capabilities = ["read"] }');
      const said = async (name: string) => {
        const { status, json } = await ask(`PUT secret/data/${name}`, { data: { v: 2 } }, { token });
        return [status, json.errors?.join().replaceAll(name, "NAME")];
      };
      expect(await said("there")).toEqual(await said("nowhere"));
      expect((await said("there"))[1]).toContain("do not allow create or update on secret/data/NAME");
    });
  });

  test("is another in other letters", async () => {
    await over(async ({ call, ask, login }) => {
      await call("POST sys/mounts/plain", { type: "kv" });
      await call("PUT plain/private/a", { v: "hunter2" });
      const token = await login(`${everything}\npath "plain/private/*" { capabilities = ["deny"] }`);
      expect((await ask("GET plain/PRIVATE/a", undefined, { token })).status).toBe(404);
      expect((await ask("GET PLAIN/private/a", undefined, { token })).status).toBe(404);
    });
  });
});

describe("a token without sudo that may do all else", () => {
  for (const { line, body } of [
    { line: "POST sys/auth/jwt2", body: { type: "jwt" } },
    { line: "POST sys/mounts/auth/jwt2", body: { type: "kv" } },
    { line: "DELETE sys/auth/jwt" },
    { line: "DELETE sys/mounts/auth/jwt" },
    { line: "DELETE sys//mounts/auth%2Fjwt" },
    { line: "POST sys/remount", body: { from: "auth/jwt", to: "auth/other" } },
    { line: "PUT sys/audit/file", body: { type: "file", options: { file_path: "stdout" } } },
    { line: "GET sys/audit" },
    { line: "PUT sys/seal" },
    { line: "PUT sys/rotate" },
    { line: "LIST sys/leases/lookup/auth" },
    { line: "PUT sys/leases/revoke-prefix/auth" },
    { line: "PUT sys/revoke-force/auth" },
    { line: "LIST auth/token/accessors" },
    { line: "POST auth/token/revoke-orphan", body: { token: "x" } },
    { line: "POST auth/token/create", body: { policies: ["root"] } },
    { line: "POST auth/token/create", body: { policies: ["other"] } },
    { line: "POST auth/token/create", body: { id: "chosen" } },
    { line: "POST auth/token/create", body: { no_parent: true } },
    { line: "POST auth/token/create", body: { period: "1h" } },
  ]) {
    test(`is refused ${line} ${JSON.stringify(body ?? {})}`, async () => {
      await over(async ({ call, ask, login }) => {
        await call("POST sys/auth/jwt", { type: "jwt" });
        const token = await login(everything);
        expect([400, 403]).toContain((await ask(line, body, { token })).status);
        expect(Object.keys((await call("GET sys/auth")).json.data ?? {})).toEqual(["jwt/", "token/"]);
      });
    });
  }
});

describe("a policy", () => {
  const guarded = `${everything}\npath "sys/policies/acl/admin" { capabilities = ["deny"] }
    path "sys/policy/admin" { capabilities = ["deny"] }`;

  for (const line of ["PUT sys/policies/acl/ADMIN", "PUT sys/policy/Admin", "DELETE sys/policies/acl/aDMIN"]) {
    test(`that may not be changed is not by the name in other letters: ${line}`, async () => {
      await over(async ({ call, ask, login }) => {
        await call("PUT sys/policies/acl/admin", { policy: 'path "a" { capabilities = ["read"] }' });
        const token = await login(guarded);
        expect((await ask(line, { policy: everything }, { token })).status).toBe(403);
        expect((await call("GET sys/policies/acl/admin")).json.data?.["policy"]).toContain('"a"');
        // Whoever may change it may write its name as he likes.
        expect((await ask("PUT sys/policies/acl/Other", { policy: everything }, { token })).status).toBe(204);
      });
    });
  }

  test("of a role is not got round by naming the role in the body", async () => {
    await over(async ({ call, login }) => {
      await call("PUT auth/token/roles/admin", { allowed_policies: "boss" });
      const token = await login('path "auth/token/create" { capabilities = ["update"] }');
      const { json } = await call("POST auth/token/create", { role_name: "admin" }, { token });
      expect(json.auth?.policies).toEqual(["mine"]);
      expect(json["warnings"]).toEqual(["Endpoint ignored these unrecognized parameters: [role_name]"]);
    });
  });

  test.each([
    { line: "PUT auth/token/roles/ADMIN", guarded: "auth/token/roles/admin", body: { allowed_policies: "mine" } },
    { line: "POST auth/token/create/Admin", guarded: "auth/token/create/admin", body: {} },
    { line: "PUT auth/jwt/role/aDmin", guarded: "auth/jwt/role/admin", body: { token_policies: "mine" } },
  ])("of a role holds for its name in other letters: $line", async ({ line, guarded, body }) => {
    await over(async ({ call, ask, login }) => {
      await call("POST sys/auth/jwt", { type: "jwt" });
      await call("PUT auth/token/roles/admin", { allowed_policies: "boss" });
      await call("PUT auth/jwt/role/admin", { user_claim: "sub", bound_subject: "me", token_policies: "boss" });
      const token = await login(`${everything}\npath "${guarded}" { capabilities = ["deny"] }`);
      expect((await ask(line, body, { token })).status).toBe(403);
      const other = line.replace(/admin/i, "Other");
      expect((await ask(other, body, { token })).json.errors?.join() ?? "").not.toContain("permission denied");
    });
  });

  test("cannot be made for tokens that hold an answer", async () => {
    await over(async ({ call, ask }) => {
      expect((await ask("PUT sys/policies/acl/response-wrapping", { policy: everything })).status).toBe(400);
      const headers = { "x-vault-wrap-ttl": "60" };
      const { token } = (await call("GET sys/mounts", undefined, { headers })).json.wrap_info!;
      for (const line of ["GET sys/mounts", "GET auth/token/lookup-self", "PUT cubbyhole/a"])
        expect((await ask(line, { v: 1 }, { token })).status).toBe(403);
    });
  });
});

test("what a token keeps for itself no other sees, root neither", async () => {
  await over(async ({ call, ask, login, rootToken }) => {
    const token = await login(everything);
    await call("PUT cubbyhole/mine", { v: "hunter2" }, { token });
    const id = String((await call("GET auth/token/lookup-self", undefined, { token })).json.data?.["accessor"]);
    for (const line of ["GET cubbyhole/mine", "LIST cubbyhole", `GET cubbyhole/${id}/mine`, "GET cubbyhole/..%2Fmine"])
      expect((await ask(line, undefined, { token: rootToken })).text).not.toMatch(/hunter2|mine"/);
  });
});

interface Guarded extends TestServer {
  /** A token with a policy of this text alone. */
  login(policy: string): Promise<string>;
}

async function over(run: (server: Guarded) => Promise<void>): Promise<void> {
  const server = await openTestServer();
  const login = async (policy: string) => {
    await server.call("PUT sys/policies/acl/mine", { policy });
    const body = { policies: ["mine"], no_default_policy: true };
    return (await server.call("POST auth/token/create", body)).json.auth!.client_token;
  };
  try {
    await run({ ...server, login });
  } finally {
    await server.close();
  }
}
