import { describe, expect, test } from "vitest";
import type { EngineReply, Operation } from "../engine.ts";
import { isKind, type OperationalError } from "@millwright/core/errors";
import { silentLog } from "@millwright/core/ports";
import { seededChance } from "../../test/seeded-chance.ts";
import { lifetimesBench, mountAt, tokenGrant } from "../../test/lifetimes.ts";
import { secretsErrors } from "../errors.ts";
import { memoryStorage } from "../memory-storage.ts";
import { openPolicies } from "../policy/policy-store.ts";
import { tokenEngine } from "./token-engine.ts";

/** The engine behind its mount, called with a token as the server does it. */
async function ready() {
  const bench = lifetimesBench();
  const server = await bench.open();
  const { tokens } = server;
  const policies = openPolicies({ storage: memoryStorage() });
  await policies.put("app", 'path "x" { capabilities = ["read"] }');
  const engine = await tokenEngine({ tokens, policies }).open({
    mount: mountAt("auth/token/"),
    storage: memoryStorage(),
    clock: bench.clock,
    chance: seededChance(2),
    log: silentLog,
  });
  const call = async (
    clientToken: string,
    operation: Operation,
    path: string,
    data: Readonly<Record<string, unknown>> = {},
    sudo = false,
  ): Promise<EngineReply> => {
    const used = await tokens.use(clientToken);
    if (!used) return { kind: "refused", status: 403, errors: ["permission denied"] };
    const { caller } = used;
    const isRoot = caller.policies.includes("root");
    const request = { operation, path, data, caller, remote: "127.0.0.1:1", clientToken, sudo: sudo || isRoot };
    try {
      return await engine.handle(request);
    } catch (error) {
      if (!isKind(error, secretsErrors.badRequest)) throw error;
      return { kind: "refused", status: 400, errors: [(error as OperationalError).message] };
    }
  };
  const create = async (clientToken: string, data = {}, path = "create", sudo = false) => {
    const reply = await call(clientToken, "update", path, data, sudo);
    if (reply.kind !== "login") throw new Error(JSON.stringify(reply));
    return tokens.create(reply.auth, `auth/token/${path}`);
  };
  const root = (await tokens.createRoot()).clientToken;
  return { ...bench, server, tokens, policies, engine, call, create, root };
}

function errorsOf(reply: EngineReply): string {
  return reply.kind === "refused" ? `${reply.status} ${reply.errors.join("; ")}` : reply.kind;
}

describe("a child", () => {
  test("is as its parent where nothing is asked", async () => {
    const { create, root } = await ready();
    expect(await create(root)).toMatchObject({ policies: ["root"], leaseDuration: 0, orphan: false });
    const app = await create(root, { policies: "app" });
    expect(app).toMatchObject({ policies: ["app", "default"], leaseDuration: 3600, renewable: true });
    expect((await create(app.clientToken)).policies).toEqual(["app", "default"]);
    const bare = await create(root, { policies: ["app"], no_default_policy: true });
    expect((await create(bare.clientToken)).policies).toEqual(["app"]);
  });

  test("has what is asked for", async () => {
    const { create, root, tokens } = await ready();
    const auth = await create(root, {
      policies: ["APP"],
      meta: { owner: "x" },
      ttl: "10m",
      explicit_max_ttl: 1200,
      display_name: "deploy 1",
      num_uses: "5",
      renewable: false,
      no_parent: true,
    });
    expect(await tokens.find(auth.clientToken)).toMatchObject({
      policies: ["app", "default"],
      metadata: { owner: "x" },
      creationTtl: 600,
      explicitMaxTtl: 1200,
      displayName: "token-deploy-1",
      numUses: 5,
      renewable: false,
    });
    expect(auth.orphan).toBe(true);
  });

  const refusals = [
    {
      name: "a policy its parent lacks",
      data: { policies: ["app", "admin"] },
      want: "child policies must be subset of parent",
    },
    { name: "the policy root", data: { policies: "root" }, want: "root tokens may not be created" },
    {
      name: "a name of its own choice",
      data: { id: "x" },
      want: "root or sudo privileges required to specify token id",
    },
    { name: "no parent", data: { no_parent: true }, want: "root or sudo privileges required to create orphan" },
    { name: "a period", data: { period: "1h" }, want: "root or sudo privileges required to create periodic" },
    { name: "a type that there is not", data: { type: "batch" }, want: 'there are no tokens of type "batch"' },
    { name: "a time that is none", data: { ttl: "soon" }, want: "ttl: a length of time" },
    { name: "a role that there is not", path: "create/x", data: {}, want: "unknown role x" },
  ];
  test.each(refusals)("does not get $name", async ({ data, want, path = "create" }) => {
    const { create, root, call } = await ready();
    const app = await create(root, { policies: "app" });
    expect(errorsOf(await call(app.clientToken, "update", path, data))).toContain(want);
  });

  test("gets what its parent lacks with sudo, but not root", async () => {
    const { create, root, call } = await ready();
    const app = await create(root, { policies: "app" });
    const data = { policies: ["admin"], period: "1h", id: "chosen", no_parent: true };
    expect(await create(app.clientToken, data, "create", true)).toMatchObject({
      clientToken: "chosen",
      policies: ["admin", "default"],
      orphan: true,
      leaseDuration: 3600,
    });
    const asked = await call(app.clientToken, "update", "create", { policies: "root" }, true);
    expect(errorsOf(asked)).toContain("root tokens may not be created");
  });

  test("is not made by a token that can be used only so often", async () => {
    const { create, root, call } = await ready();
    const app = await create(root, { policies: "app", num_uses: 1 });
    expect(errorsOf(await call(app.clientToken, "update", "create"))).toContain("restricted use token");
  });

  test("with a policy that is not there is made with a warning", async () => {
    const { call, root } = await ready();
    expect(await call(root, "update", "create", { policies: ["app", "later"], colour: "red" })).toMatchObject({
      kind: "login",
      warnings: ["Endpoint ignored these unrecognized parameters: [colour]", 'Policy "later" does not exist'],
    });
  });
});

describe("a role", () => {
  test("is written, changed, listed and removed", async () => {
    const { call, root, engine } = await ready();
    const about = { operation: "update", path: "roles/deploy", data: {}, remote: "" } as const;
    expect(await engine.exists!(about)).toBe(false);
    await call(root, "create", "roles/deploy", { allowed_policies: "app,other", orphan: true, token_period: "1h" });
    expect(await engine.exists!(about)).toBe(true);
    await call(root, "update", "roles/deploy", { renewable: false });
    expect(await call(root, "read", "roles/deploy")).toEqual({
      kind: "data",
      data: {
        name: "deploy",
        allowed_policies: ["app", "other"],
        allowed_policies_glob: [],
        disallowed_policies: [],
        disallowed_policies_glob: [],
        orphan: true,
        renewable: false,
        period: 3600,
        token_period: 3600,
        explicit_max_ttl: 0,
        token_explicit_max_ttl: 0,
        token_num_uses: 0,
        token_bound_cidrs: [],
        path_suffix: "",
        token_no_default_policy: false,
        token_type: "default-service",
      },
    });
    expect(await call(root, "list", "roles/")).toEqual({ kind: "data", data: { keys: ["deploy"] } });
    await call(root, "delete", "roles/deploy");
    expect(await call(root, "list", "roles")).toEqual({ kind: "missing" });
    expect(await call(root, "read", "roles/deploy")).toEqual({ kind: "missing" });
  });

  test("gives its tokens what it allows, whatever the caller has", async () => {
    const { create, call, root } = await ready();
    await call(root, "update", "roles/deploy", { allowed_policies: ["deploy"], orphan: true, token_period: 600 });
    const app = await create(root, { policies: "app" });
    expect(await create(app.clientToken, {}, "create/deploy")).toMatchObject({
      policies: ["default", "deploy"],
      orphan: true,
      leaseDuration: 600,
    });
    expect(errorsOf(await call(app.clientToken, "update", "create/deploy", { policies: ["app"] }))).toContain(
      "the role deploy does not allow the policies app",
    );
  });

  const cases = [
    { name: "by star", role: { allowed_policies_glob: "team-*" }, asked: ["team-a"], want: ["default", "team-a"] },
    { name: "but not what is disallowed", role: { disallowed_policies: "app" }, asked: ["app"], want: undefined },
    {
      name: "but not what is disallowed by star",
      role: { disallowed_policies_glob: "*p*" },
      asked: ["app"],
      want: undefined,
    },
    {
      name: "without default where that is disallowed",
      role: { disallowed_policies: "default" },
      asked: ["app"],
      want: ["app"],
    },
    { name: "not beyond the caller where it says nothing", role: {}, asked: ["other"], want: undefined },
  ];
  test.each(cases)("allows policies $name", async ({ role, asked, want }) => {
    const { create, call, root } = await ready();
    await call(root, "update", "roles/r", role);
    const app = await create(root, { policies: "app" });
    const made = create(app.clientToken, { policies: asked }, "create/r");
    if (want) expect((await made).policies).toEqual(want);
    else await expect(made).rejects.toThrow("does not allow the policies");
  });
});

describe("looking up", () => {
  test("tells what Vault tells", async () => {
    const { call, create, root, clock } = await ready();
    const auth = await create(root, { policies: "app", ttl: 600, meta: { a: "b" } });
    await clock.advance(100_500);
    const seen = await call(auth.clientToken, "read", "lookup-self");
    expect(seen).toEqual({
      kind: "data",
      data: {
        accessor: auth.accessor,
        creation_time: 1767225600,
        creation_ttl: 600,
        display_name: "token",
        entity_id: "",
        expire_time: "2026-01-01T00:10:00.000Z",
        explicit_max_ttl: 0,
        id: auth.clientToken,
        issue_time: "2026-01-01T00:00:00.000Z",
        meta: { a: "b" },
        num_uses: 0,
        orphan: false,
        path: "auth/token/create",
        policies: ["app", "default"],
        renewable: true,
        ttl: 499,
        type: "service",
      },
    });
    expect(await call(root, "update", "lookup", { token: auth.clientToken })).toEqual(seen);
    const byAccessor = await call(root, "update", "lookup-accessor", { accessor: auth.accessor });
    expect(byAccessor).toMatchObject({ data: { id: "", accessor: auth.accessor } });
    expect(await call(root, "read", "lookup-self")).toMatchObject({ data: { expire_time: null, ttl: 0, meta: null } });
  });

  test("works with the last use of a token", async () => {
    const { call, create, root } = await ready();
    const auth = await create(root, { policies: "app", num_uses: 1 });
    expect(await call(auth.clientToken, "read", "lookup-self")).toMatchObject({ data: { num_uses: -1 } });
  });

  test("says that a token or an accessor is not known", async () => {
    const { call, root } = await ready();
    expect(errorsOf(await call(root, "update", "lookup", { token: "x" }))).toBe("403 bad token");
    expect(errorsOf(await call(root, "update", "lookup-accessor", { accessor: "x" }))).toBe("400 invalid accessor");
    expect(errorsOf(await call(root, "update", "lookup-accessor", {}))).toBe("400 missing accessor");
  });
});

test("renews by token, by accessor and for itself", async () => {
  const { call, create, root } = await ready();
  const auth = await create(root, { policies: "app", ttl: 600 });
  const ways = [
    { token: root, path: "renew", data: { token: auth.clientToken, increment: "20m" }, want: auth.clientToken },
    { token: root, path: "renew-accessor", data: { accessor: auth.accessor, increment: 1200 }, want: "" },
    { token: auth.clientToken, path: "renew-self", data: { increment: "1200" }, want: auth.clientToken },
  ];
  for (const { token, path, data, want } of ways) {
    expect(await call(token, "update", path, data)).toMatchObject({
      kind: "auth",
      auth: { clientToken: want, accessor: auth.accessor, leaseDuration: 1200 },
    });
  }
  expect(errorsOf(await call(root, "update", "renew-self"))).toBe("400 lease is not renewable");
});

test("revokes by token, by accessor and for itself", async () => {
  const { call, create, root, tokens } = await ready();
  const [one, two, three] = [await create(root), await create(root), await create(root)];
  expect(await call(root, "update", "revoke", { token: one.clientToken })).toEqual({ kind: "done" });
  expect(await call(root, "update", "revoke-accessor", { accessor: two.accessor })).toEqual({ kind: "done" });
  expect(await call(three.clientToken, "update", "revoke-self")).toEqual({ kind: "done" });
  for (const { clientToken } of [one, two, three]) expect(await tokens.find(clientToken)).toBeUndefined();
  expect(await call(root, "update", "revoke", { token: one.clientToken })).toEqual({
    kind: "done",
    warnings: ["there is no such token: nothing was revoked"],
  });
});

test("makes orphans with create-orphan and of the children of a token that is revoked so", async () => {
  const { call, create, root, tokens } = await ready();
  const parent = await create(root, { policies: "app" });
  expect((await create(parent.clientToken, {}, "create-orphan")).orphan).toBe(true);
  const child = await create(parent.clientToken);
  await call(root, "update", "revoke-orphan", { token: parent.clientToken });
  expect((await tokens.find(child.clientToken))?.parent).toBeUndefined();
});

test("lists accessors, tidies, and knows nothing else", async () => {
  const { call, root, tokens } = await ready();
  await tokens.create(tokenGrant(), "auth/token/create");
  expect(await call(root, "list", "accessors/")).toEqual({ kind: "data", data: { keys: await tokens.accessors() } });
  expect(await call(root, "update", "tidy")).toMatchObject({ kind: "done" });
  expect(await call(root, "read", "constructor")).toEqual({ kind: "missing" });
  expect(errorsOf(await call(root, "delete", "create"))).toBe("405 unsupported operation");
});
