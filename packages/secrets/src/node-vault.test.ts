import { systemClock, silentLog } from "@millwright/core/ports";
import { listen } from "@millwright/daemon/listener";
import { openMemoryStore } from "@millwright/store/memory";
import vault from "node-vault";
import { expect, test } from "vitest";
import { openSecrets } from "./secrets.ts";

// An outside client, over the network: what its users write works.
test("npm node-vault: init, unseal, mounts, kv, policies, tokens, leases, seal", async () => {
  const store = openMemoryStore();
  const secrets = await openSecrets({ store, version: "0.0.0" });
  const address = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
  const listener = await listen({
    address,
    service: secrets.handle,
    clock: systemClock,
    log: silentLog,
    requestId: () => "1",
  });
  try {
    const { port } = listener.address.kind === "tcp" ? listener.address : { port: 0 };
    const client = vault({ endpoint: `http://127.0.0.1:${port}` });
    expect(await client.initialized()).toEqual({ initialized: false });
    const { keys, root_token } = await client.init({ secret_shares: 3, secret_threshold: 2 });
    expect(await client.unseal({ key: keys[0] })).toMatchObject({ sealed: true, progress: 1 });
    expect(await client.unseal({ key: keys[1] })).toMatchObject({ sealed: false });
    expect(await client.health()).toMatchObject({ initialized: true, sealed: false });
    client.token = root_token;

    await client.mount({ mount_point: "plain", type: "kv" });
    await client.mount({ mount_point: "secret", type: "kv", options: { version: "2" } });
    expect((await client.mounts()).data).toMatchObject({ "plain/": { type: "kv" } });
    await client.write("plain/app/db", { password: "hunter2" });
    expect((await client.read("plain/app/db")).data).toEqual({ password: "hunter2" });
    expect((await client.list("plain/app")).data.keys).toEqual(["db"]);
    await client.write("secret/data/app", { data: { a: 1 } });
    expect((await client.read("secret/data/app")).data.data).toEqual({ a: 1 });
    await client.delete("plain/app/db");
    await expect(client.read("plain/app/db")).rejects.toMatchObject({ response: { statusCode: 404 } });

    await client.addPolicy({ name: "app", rules: 'path "secret/data/app" { capabilities = ["read"] }' });
    expect((await client.policies()).data.keys).toContain("app");
    const { auth } = await client.tokenCreate({ policies: ["app"], ttl: "1h" });
    // The client takes on a token that it made.
    client.token = root_token;
    const limited = vault({ endpoint: `http://127.0.0.1:${port}`, token: auth.client_token });
    expect((await limited.read("secret/data/app")).data.data).toEqual({ a: 1 });
    await expect(limited.write("secret/data/app", { data: {} })).rejects.toThrow(/permission denied/);
    expect((await limited.tokenLookupSelf()).data.policies).toEqual(["app", "default"]);
    expect((await limited.tokenRenewSelf({ increment: 60 })).auth.lease_duration).toBeLessThanOrEqual(60);
    await client.tokenRevoke({ token: auth.client_token });
    await expect(limited.tokenLookupSelf()).rejects.toThrow(/permission denied/);

    await client.unmount({ mount_point: "plain" });
    await client.seal();
    await expect(client.mounts()).rejects.toThrow(/sealed/);
  } finally {
    await listener.close(1_000);
    await secrets.close();
    await store.close();
  }
});
