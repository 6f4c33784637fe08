import { prefixRange, type Store } from "@millwright/store/contract";
import { openMemoryStore } from "@millwright/store/memory";
import { describe, expect, test } from "vitest";
import { askerOf, openTestServer } from "../test/secrets-server.ts";
import { openSecrets } from "./secrets.ts";

const version = "0.0.0";

describe("init", () => {
  test("tells the keys and the root token, once, and leaves the server sealed", async () => {
    await over(async (store) => {
      const secrets = await openSecrets({ store, version });
      const { ask } = askerOf(secrets, "");
      expect((await ask("GET sys/init")).json).toEqual({ initialized: false });
      expect((await ask("GET sys/health")).status).toBe(501);
      expect((await ask("PUT sys/unseal", { key: "00" })).status).toBe(400);
      const { json } = await ask("PUT sys/init", { secret_shares: 5, secret_threshold: 3 });
      expect(json["keys"]).toHaveLength(5);
      expect(Buffer.from((json["keys_base64"] as string[])[0]!, "base64").toString("hex")).toBe(
        (json["keys"] as string[])[0],
      );
      expect(json["root_token"]).toMatch(/^hvs\./);
      expect((await ask("GET sys/health")).status).toBe(503);
      const again = await ask("PUT sys/init", { secret_shares: 5, secret_threshold: 3 });
      expect(again).toMatchObject({ status: 400, json: { errors: ["Vault is already initialized"] } });
      await secrets.close();
    });
  });

  for (const { name, body, want } of [
    { name: "no numbers", body: {}, want: /from 1 to 255/ },
    { name: "more needed than there are", body: { secret_shares: 3, secret_threshold: 4 }, want: /must not be above/ },
    { name: "keys under PGP", body: { secret_shares: 1, secret_threshold: 1, pgp_keys: ["x"] }, want: /pgp_keys/ },
  ]) {
    test(`refuses ${name}, and nothing is made`, async () => {
      await over(async (store) => {
        const secrets = await openSecrets({ store, version });
        const { ask } = askerOf(secrets, "");
        const { status, json } = await ask("PUT sys/init", body);
        expect(status).toBe(400);
        expect(json.errors?.[0]).toMatch(want);
        expect((await store.range(prefixRange(""), { countOnly: true })).count).toBe(0);
        await secrets.close();
      });
    });
  }

  test("of two servers that initialize at once one wins, and its keys open the seal", async () => {
    await over(async (store) => {
      const servers = await Promise.all([1, 2].map(() => openSecrets({ store, version })));
      const outcomes = await Promise.allSettled(servers.map((server) => server.init({ shares: 1, threshold: 1 })));
      const won = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
      expect(won.length).toBe(1);
      for (const server of servers) expect((await server.unseal(won[0]!.keys[0]!)).sealed).toBe(false);
      const generations = (await store.range(prefixRange("secrets/g/"))).entries.map(({ key }) => key.split("/")[2]);
      expect(new Set(generations).size).toBe(1);
      await Promise.all(servers.map((server) => server.close()));
    });
  });
});

describe("unseal", () => {
  test("takes as many different keys as are needed, in any form", async () => {
    await over(async (store) => {
      const secrets = await openSecrets({ store, version });
      const { keys, keysBase64 } = await secrets.init({ shares: 5, threshold: 3 });
      expect(await secrets.unseal(keys[4]!)).toMatchObject({ sealed: true, progress: 1, threshold: 3, shares: 5 });
      const { nonce } = await secrets.unseal(keys[4]!);
      expect(nonce).not.toBe("");
      expect(await secrets.unseal(keysBase64[0]!)).toMatchObject({ sealed: true, progress: 2, nonce });
      expect(await secrets.unseal(keys[2]!)).toMatchObject({ sealed: false, progress: 0, nonce: "" });
      await secrets.close();
    });
  });

  test("says that a key is wrong, starts over, and leaves the server as it was", async () => {
    await over(async (store) => {
      const secrets = await openSecrets({ store, version });
      const { keys } = await secrets.init({ shares: 3, threshold: 2 });
      const { ask } = askerOf(secrets, "");
      const before = await everything(store);
      await ask("PUT sys/unseal", { key: keys[0] });
      const wrong = `${"ab".repeat(32)}${keys[1]!.slice(-2)}`;
      const { status, json } = await ask("PUT sys/unseal", { key: wrong });
      expect(status).toBe(400);
      expect(json.errors?.[0]).toMatch(/invalid key: at least one of the keys given is wrong.*start over with 2/);
      expect((await ask("GET sys/seal-status")).json).toMatchObject({ sealed: true, progress: 0, nonce: "" });
      expect(await everything(store)).toEqual(before);
      await secrets.unseal(keys[0]!);
      expect((await secrets.unseal(keys[2]!)).sealed).toBe(false);
      await secrets.close();
    });
  });

  test("can be started over", async () => {
    await over(async (store) => {
      const secrets = await openSecrets({ store, version });
      const { keys } = await secrets.init({ shares: 3, threshold: 2 });
      const { ask } = askerOf(secrets, "");
      await ask("PUT sys/unseal", { key: keys[0] });
      expect((await ask("PUT sys/unseal", { reset: true })).json).toMatchObject({ progress: 0, nonce: "" });
      for (const key of ["", "xyz!", "abcd"]) expect((await ask("PUT sys/unseal", { key })).status).toBe(400);
      await secrets.close();
    });
  });
});

describe("a sealed server", () => {
  test("answers 503 to everything but what tells of the seal", async () => {
    const server = await openTestServer();
    const { ask } = server;
    await server.call("PUT sys/seal");
    for (const line of ["GET secret/data/app", "GET sys/mounts", "PUT auth/token/create", "GET nowhere"])
      expect(await ask(line)).toMatchObject({ status: 503, json: { errors: ["Vault is sealed"] } });
    expect((await ask("GET sys/health?sealedcode=299&x=1")).status).toBe(299);
    expect((await ask("HEAD sys/health")).status).toBe(503);
    expect((await ask("GET sys/seal-status")).json).toMatchObject({ sealed: true, initialized: true, t: 1, n: 1 });
    await server.secrets.unseal(server.unsealKeys[0]!);
    expect((await ask("GET sys/mounts")).status).toBe(200);
    await server.close();
  });

  test("has everything again after a restart: mounts, secrets, policies, tokens", async () => {
    await over(async (store) => {
      const first = await openTestServer({ store });
      await first.call("POST sys/mounts/plain", { type: "kv", description: "mine" });
      await first.call("PUT plain/a", { x: 1 });
      await first.call("PUT sys/policies/acl/app", { policy: 'path "plain/*" { capabilities = ["read"] }' });
      const token = (await first.call("POST auth/token/create", { policies: ["app"] })).json.auth!.client_token;
      await first.close();
      const second = await openSecrets({ store, version });
      const { ask } = askerOf(second, first.rootToken);
      expect((await ask("GET plain/a", undefined, { token })).status).toBe(503);
      await second.unseal(first.unsealKeys[0]!);
      expect((await ask("GET plain/a", undefined, { token })).json.data).toEqual({ x: 1 });
      expect((await ask("PUT plain/a", { x: 2 }, { token })).status).toBe(403);
      expect((await ask("GET sys/mounts")).json).toMatchObject({ "plain/": { description: "mine" } });
      await second.close();
    });
  });
});

test("the store's bytes show no path, secret, policy, token or key", async () => {
  await over(async (store) => {
    const server = await openTestServer({ store });
    await server.call("POST sys/mounts/vineyard", { type: "kv" });
    await server.call("PUT vineyard/cellar-door", { pass: "grape-juice", big: "barrel".repeat(1_000) });
    await server.call("PUT sys/policies/acl/sommelier", { policy: 'path "vineyard/*" { capabilities = ["read"] }' });
    const { auth } = (await server.call("POST auth/token/create", { policies: ["sommelier"] })).json;
    const wrapped = await server.call("GET vineyard/cellar-door", undefined, { headers: { "x-vault-wrap-ttl": "9m" } });
    await server.secrets.close();
    const raw = (await everything(store)).join("\n");
    const secret = [
      ...["vineyard", "cellar", "grape", "barrelbarrel", "sommelier", "capabilities", "auth/token", "cubbyhole"],
      ...[server.rootToken, auth!.client_token, auth!.accessor, wrapped.json.wrap_info!.token, server.unsealKeys[0]!],
    ];
    for (const text of secret)
      for (const form of [text, Buffer.from(text).toString("base64").slice(0, -2), Buffer.from(text).toString("hex")])
        expect(raw.includes(form), form).toBe(false);
  });
});

describe("several servers over one store", () => {
  test("see what the others mount, unmount, write and allow", async () => {
    await over(async (store) => {
      const first = await openTestServer({ store });
      const second = await openSecrets({ store, version });
      await second.unseal(first.unsealKeys[0]!);
      const other = askerOf(second, first.rootToken);
      await first.call("POST sys/mounts/plain", { type: "kv" });
      await eventually(async () => (await other.ask("PUT plain/a", { x: 1 })).status === 204);
      expect((await first.call("GET plain/a")).json.data).toEqual({ x: 1 });
      const token = (await other.call("POST auth/token/create", { policies: ["default"] })).json.auth!.client_token;
      expect((await first.ask("GET auth/token/lookup-self", undefined, { token })).status).toBe(200);
      await first.call("PUT auth/token/revoke", { token });
      expect((await other.ask("GET auth/token/lookup-self", undefined, { token })).status).toBe(403);
      await other.call("DELETE sys/mounts/plain");
      await eventually(async () => (await first.ask("GET plain/a")).status === 404);
      await other.call("PUT sys/rotate");
      await first.call("PUT secret/data/x", { data: { a: 1 } });
      expect((await other.call("GET secret/data/x")).status).toBe(200);
      await second.close();
      expect((await first.ask("GET secret/data/x")).status).toBe(200);
      await first.close();
    });
  });
});

test("many mounts made at once on two servers are all there, on both", async () => {
  await over(async (store) => {
    const first = await openTestServer({ store });
    const second = await openSecrets({ store, version });
    await second.unseal(first.unsealKeys[0]!);
    const other = askerOf(second, first.rootToken);
    const made = Array.from({ length: 12 }, (_, i) => `m${i}`);
    await Promise.all(
      made.map((path, i) => (i % 2 ? first : other).call(`POST sys/mounts/${path}`, { type: "kv", description: path })),
    );
    for (const path of made) {
      await eventually(async () => (await first.ask(`PUT ${path}/a`, { path })).status === 204);
      await eventually(async () => (await other.ask(`GET ${path}/a`)).json.data?.["path"] === path);
    }
    await second.close();
    await first.close();
  });
});

test("a store that is busy with other things holds nothing up", async () => {
  await over(async (store) => {
    const server = await openTestServer({ store });
    const busy = new AbortController();
    const others = (async () => {
      for (let i = 0; !busy.signal.aborted; i++)
        await store.txn({ then: [{ op: "put", key: `elsewhere/${i % 100}`, value: Buffer.from("x") }] });
    })();
    for (let i = 0; i < 30; i++) {
      await server.call(`PUT secret/data/busy/${i}`, { data: { i } });
      expect((await server.call("LIST secret/metadata/busy")).json.data?.["keys"]).toHaveLength(i + 1);
    }
    busy.abort();
    await others;
    await server.close();
  });
});

async function over(run: (store: Store) => Promise<void>): Promise<void> {
  const store = openMemoryStore();
  await run(store).finally(() => store.close());
}

async function everything(store: Store): Promise<readonly string[]> {
  const { entries } = await store.range(prefixRange(""));
  return entries.map(({ key, value }) => `${key} ${Buffer.from(value).toString("latin1")}`);
}

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("it did not come to hold within 2 s");
}
