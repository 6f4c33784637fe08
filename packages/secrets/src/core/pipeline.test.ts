import { OperationalError } from "@millwright/core/errors";
import { describe, expect, test } from "vitest";
import { openTestServer, type TestServer } from "../../test/secrets-server.ts";
import type { EngineRequest, EngineType } from "../engine.ts";
import { secretsErrors } from "../errors.ts";
import { builtInEngines } from "../secrets.ts";

describe("a request", () => {
  for (const { name, line, body, headers, status, error } of [
    {
      name: "that is no JSON is refused without repeating it",
      line: "PUT secret/data/a",
      body: "{pass: 'hunter2'",
      status: 400,
      error: /the body is not JSON$/,
    },
    {
      name: "that is a list is refused",
      line: "PUT secret/data/a",
      body: "[1]",
      status: 400,
      error: /not a JSON object/,
    },
    {
      name: "that is too large is refused",
      line: "PUT secret/data/a",
      body: `"${"x".repeat(1024 * 1024)}"`,
      status: 413,
      error: /larger/,
    },
    {
      name: "that is too deep is refused before anything is made of it",
      line: "PUT secret/data/a",
      body: `{"data":${"[".repeat(100_000)}${"]".repeat(100_000)}}`,
      status: 400,
      error: /300 levels deep/,
    },
    {
      name: "with a length of time beyond all calendars is refused",
      line: "POST auth/token/create",
      body: '{"period":999999999999999}',
      status: 400,
      error: /period: a length of time/,
    },
    { name: "outside /v1/ is refused", line: "GET /ui/", status: 404, error: /begin with \/v1\// },
    { name: "with .. is refused", line: "GET secret/data/%2e%2e/x", status: 400, error: /segment/ },
    {
      name: "in another namespace is refused",
      line: "GET sys/mounts",
      headers: { "x-vault-namespace": "team/" },
      status: 400,
      error: /no namespace "team"/,
    },
    {
      name: "in the root namespace is answered",
      line: "GET sys/mounts",
      headers: { "x-vault-namespace": "root" },
      status: 200,
    },
    {
      name: "with X-Vault-Request is answered",
      line: "GET sys/mounts",
      headers: { "x-vault-request": "true" },
      status: 200,
    },
    {
      name: "with a wrong wrapping time is refused",
      line: "GET sys/mounts",
      headers: { "x-vault-wrap-ttl": "soon" },
      status: 400,
      error: /length of time/,
    },
    { name: "of an unknown method is refused", line: "TRACE sys/mounts", status: 405, error: /TRACE/ },
    {
      name: "of a method that the path has not is refused",
      line: "DELETE sys/mounts",
      status: 405,
      error: /unsupported operation/,
    },
    { name: "with slashes beside each other is understood", line: "GET sys//mounts/", status: 200 },
  ] as const) {
    test(name, async () => {
      await over(async (server) => {
        const reply = await server.ask(line, body, { headers: headers ?? {} });
        expect(reply.status).toBe(status);
        expect(reply.headers["cache-control"]).toBe("no-store");
        if (error) expect(reply.json.errors?.join()).toMatch(error);
      });
    });
  }

  test("carries its token in one of two headers", async () => {
    await over(async ({ ask, rootToken }) => {
      const headers = { authorization: `Bearer ${rootToken}` };
      expect((await ask("GET sys/mounts", undefined, { token: "", headers })).status).toBe(200);
      expect((await ask("GET sys/mounts", undefined, { token: "" })).json.errors).toEqual([
        "2 errors occurred:\n\t* permission denied\n\t* missing client token: give one in X-Vault-Token, or log in first\n\n",
      ]);
    });
  });

  test("keeps numbers as they were written", async () => {
    await over(async ({ call }) => {
      await call("POST sys/mounts/plain", { type: "kv" });
      await call("PUT plain/n", '{"n":12345678901234567890}');
      expect((await call("GET plain/n")).text).toContain('"n":12345678901234567890');
    });
  });

  test("of a policy that lacks a right is told which, where", async () => {
    await over(async ({ call, ask }) => {
      await call("PUT sys/policies/acl/app", { policy: 'path "secret/data/a" { capabilities = ["create", "read"] }' });
      const token = (await call("POST auth/token/create", { policies: ["app"] })).json.auth!.client_token;
      expect((await ask("PUT secret/data/a", { data: { v: 1 } }, { token })).status).toBe(200);
      const refused = await ask("PUT secret/data/a", { data: { v: 2 } }, { token });
      expect(refused.status).toBe(403);
      expect(refused.json.errors).toEqual([
        "2 errors occurred:\n\t* permission denied\n\t* the policies of this token (app, default) do not allow update on secret/data/a\n\n",
      ]);
    });
  });

  test("on a path that needs sudo is refused without it", async () => {
    await over(async ({ call, ask }) => {
      await call("PUT sys/policies/acl/admin", { policy: 'path "sys/*" { capabilities = ["read", "update"] }' });
      const token = (await call("POST auth/token/create", { policies: ["admin"] })).json.auth!.client_token;
      expect((await ask("GET sys/mounts", undefined, { token })).status).toBe(200);
      for (const line of [
        "GET sys/audit",
        "PUT sys/seal",
        "PUT sys/rotate",
        "PUT sys/leases/revoke-prefix/x",
        "GET sys/auth/token",
      ])
        expect((await ask(line, undefined, { token })).json.errors?.[0]).toMatch(/do not allow sudo/);
    });
  });

  test("with the last use of a token is answered, and the next is not", async () => {
    await over(async ({ call, ask }) => {
      const token = (await call("POST auth/token/create", { num_uses: 2 })).json.auth!.client_token;
      expect((await ask("GET auth/token/lookup-self", undefined, { token })).status).toBe(200);
      expect((await ask("GET auth/token/lookup-self", undefined, { token })).status).toBe(200);
      expect((await ask("GET auth/token/lookup-self", undefined, { token })).status).toBe(403);
    });
  });

  test("with the last use of a token ends what hangs on it", async () => {
    await over(async ({ call }) => {
      const { auth } = (await call("POST auth/token/create", { num_uses: 1 })).json;
      await call("GET auth/token/lookup-self", undefined, { token: auth!.client_token });
      expect((await call("LIST auth/token/accessors")).json.data?.["keys"]).not.toContain(auth!.accessor);
    });
  });
});

describe("a credential", () => {
  test("is leased, renewed, looked up and revoked", async () => {
    const world = new Set<string>();
    await over(
      async ({ call, ask }) => {
        await call("POST sys/mounts/logins", { type: "logins" });
        const { json } = await call("GET logins/creds/reader");
        expect(json).toMatchObject({ renewable: true, lease_duration: 60, data: { username: "reader" } });
        expect(json.lease_id).toMatch(/^logins\/creds\/reader\//);
        expect([...world]).toEqual(["reader"]);
        const renewed = await call("PUT sys/leases/renew", { lease_id: json.lease_id, increment: 30 });
        expect(renewed.json).toMatchObject({ lease_id: json.lease_id, lease_duration: 30, data: null });
        expect((await call("LIST sys/leases/lookup/logins/creds/reader")).json.data?.["keys"]).toHaveLength(1);
        await call(`PUT sys/revoke/${json.lease_id}`);
        expect([...world]).toEqual([]);
        expect((await ask("PUT sys/leases/lookup", { lease_id: json.lease_id })).status).toBe(400);
      },
      [loginEngine(world)],
    );
  });

  test("is taken back when what it was asked from is unmounted or moved", async () => {
    const world = new Set<string>();
    await over(
      async ({ call, ask }) => {
        await call("POST sys/mounts/logins", { type: "logins" });
        await call("GET logins/creds/a");
        await call("POST sys/remount", { from: "logins", to: "moved" });
        expect([...world]).toEqual([]);
        expect((await ask("GET logins/creds/a")).status).toBe(404);
        await call("GET moved/creds/b");
        await call("DELETE sys/mounts/moved");
        expect([...world]).toEqual([]);
        expect((await ask("GET moved/creds/b")).status).toBe(404);
      },
      [loginEngine(world)],
    );
  });

  for (const when of ["before it is stored", "while it is made"] as const) {
    test(`is not left behind where its mount goes ${when}`, async () => {
      const world = new Set<string>();
      const [asked, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const pause = async () => {
        asked.resolve();
        await goOn.promise;
      };
      const engine = loginEngine(world, undefined, when === "while it is made" ? { making: pause } : { asking: pause });
      await over(
        async ({ call, ask }) => {
          await call("POST sys/mounts/logins", { type: "logins" });
          const answer = ask("GET logins/creds/a");
          await asked.promise;
          const gone = call("DELETE sys/mounts/logins");
          await (when === "while it is made" ? new Promise((resolve) => setTimeout(resolve, 50)) : gone);
          goOn.resolve();
          await gone;
          expect((await answer).status).toBeGreaterThanOrEqual(400);
          expect([...world]).toEqual([]);
          expect((await ask("LIST sys/leases/lookup/logins/creds/a")).status).toBe(404);
        },
        [engine],
      );
    });
  }

  test("that cannot be taken back keeps its mount from being removed", async () => {
    const world = new Set<string>();
    const broken = { isBroken: true };
    await over(
      async ({ call, ask }) => {
        await call("POST sys/mounts/logins", { type: "logins" });
        await call("GET logins/creds/a");
        expect((await ask("DELETE sys/mounts/logins")).status).toBeGreaterThanOrEqual(400);
        expect((await call("GET logins/creds/b")).status).toBe(200);
        broken.isBroken = false;
        await call("DELETE sys/mounts/logins");
        expect([...world]).toEqual([]);
      },
      [loginEngine(world, broken)],
    );
  });
});

describe("an answer that is wrapped", () => {
  test("is had once, by whoever has the token", async () => {
    await over(async ({ call, ask }) => {
      await call("PUT secret/data/a", { data: { v: 1 } });
      const headers = { "x-vault-wrap-ttl": "2m" };
      const { json } = await call("GET secret/data/a", undefined, { headers });
      expect(json).toMatchObject({ data: null, wrap_info: { ttl: 120, creation_path: "secret/data/a" } });
      const { token } = json.wrap_info!;
      expect((await ask("GET secret/data/a", undefined, { token })).status).toBe(403);
      const first = await call("PUT sys/wrapping/unwrap", undefined, { token });
      expect(first.json.data).toMatchObject({ data: { v: 1 } });
      expect((await ask("PUT sys/wrapping/unwrap", { token })).json.errors).toEqual([
        "wrapping token is not valid or does not exist",
      ]);
    });
  });

  test("is had by one of many who come at once", async () => {
    await over(async ({ call, ask }) => {
      const headers = { "x-vault-wrap-ttl": "60" };
      const { token } = (await call("POST sys/wrapping/wrap", { a: 1 }, { headers })).json.wrap_info!;
      const answers = await Promise.all([1, 2, 3, 4].map(() => ask("PUT sys/wrapping/unwrap", { token })));
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400, 400]);
    });
  });

  test("moves to another token by a rewrap", async () => {
    await over(async ({ call, ask }) => {
      const headers = { "x-vault-wrap-ttl": "60" };
      const { token } = (await call("POST sys/wrapping/wrap", { a: 1 }, { headers })).json.wrap_info!;
      const next = (await call("PUT sys/wrapping/rewrap", { token })).json.wrap_info!.token;
      expect((await ask("PUT sys/wrapping/unwrap", { token })).status).toBe(400);
      expect((await call("PUT sys/wrapping/unwrap", { token: next })).json.data).toEqual({ a: 1 });
    });
  });
});

/** Gives logins that are there as long as they are in `world`. */
interface Pauses {
  readonly asking?: () => Promise<void>;
  readonly making?: () => Promise<void>;
}

function loginEngine(world: Set<string>, broken = { isBroken: false }, { asking, making }: Pauses = {}): EngineType {
  const nameIn = ({ path }: Pick<EngineRequest, "path">) => path.split("/")[1] ?? "";
  return {
    name: "logins",
    class: "secret",
    open: async () => ({
      handle: async (request) => {
        const username = nameIn(request);
        await asking?.();
        const make = async () => {
          await making?.();
          world.add(username);
          return { username };
        };
        return { kind: "lease", grant: { ttl: 60, maxTtl: 600, renewable: true, internal: { username } }, make };
      },
      renewLease: async () => undefined,
      revokeLease: async ({ internal }) => {
        if (broken.isBroken) throw new OperationalError(secretsErrors.storeBehind, "the database does not answer");
        world.delete((internal as { readonly username: string }).username);
      },
    }),
  };
}

async function over(run: (server: TestServer) => Promise<void>, engines: readonly EngineType[] = []): Promise<void> {
  const server = await openTestServer({ engines: [...builtInEngines(), ...engines] });
  await run(server).finally(() => server.close());
}
