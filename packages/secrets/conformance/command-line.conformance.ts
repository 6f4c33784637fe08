import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog, systemClock } from "@millwright/core/ports";
import { listen } from "@millwright/daemon/listener";
import { openMemoryStore } from "@millwright/store/memory";
import { expect, test } from "vitest";
import { openSecrets } from "../src/secrets.ts";
import { findRealServer } from "../test/openbao.ts";

const program = findRealServer();

test.skipIf(!program)("the command line of a real one works with our server", async () => {
  await withCommandLine(async (run) => {
    expect(await run(["status"])).toMatchObject({ code: 2, out: expect.stringMatching(/Initialized +false/) });
    const init = JSON.parse((await run(["operator", "init", "-key-shares=3", "-key-threshold=2", "-format=json"])).out);
    expect((await run(["operator", "unseal", init.unseal_keys_b64[0]])).out).toMatch(/Unseal Progress +1\/2/);
    expect((await run(["operator", "unseal", init.unseal_keys_hex[2]])).out).toMatch(/Sealed +false/);
    expect((await run(["status"])).code).toBe(0);
    const root = init.root_token as string;
    for (const { line, want, code = 0, token = root } of [
      { line: "secrets enable -path=secret kv-v2", want: /Enabled the kv-v2 secrets engine at: secret\// },
      { line: "secrets enable -path=plain kv", want: /Enabled the kv secrets engine/ },
      { line: "secrets list", want: /plain\/ +kv .*\nsecret\/ +kv / },
      { line: "kv put secret/app a=1 b=two", want: /version +1/ },
      { line: "kv get -field=b secret/app", want: /^two$/ },
      { line: "kv patch secret/app c=3", want: /version +2/ },
      { line: "kv metadata get secret/app", want: /current_version +2/ },
      { line: "kv delete secret/app", want: /Success! Data deleted/ },
      { line: "kv get secret/app", want: /deletion_time +\d{4}/ },
      { line: "kv rollback -version=1 secret/app", want: /version +3/ },
      { line: "kv list secret/", want: /Keys\n----\napp/ },
      { line: "kv put plain/x y=z", want: /Data written to: plain\/x/ },
      { line: "read -field=y plain/x", want: /^z$/ },
      { line: "list plain", want: /Keys\n----\nx/ },
      { line: "kv get secret/app", token: "hvs.wrong", code: 2, want: /\* permission denied\n\t\* invalid token/ },
      { line: "lease lookup x/y", code: 2, want: /invalid lease/ },
      { line: "operator rotate", want: /Key Term +2/ },
      { line: "secrets move plain/ moved/", want: /Finished moving secrets engine plain\/ to moved\// },
      { line: "secrets disable moved/", want: /Disabled the secrets engine/ },
      { line: "read moved/x", code: 2, want: /No value found|no handler for route/ },
      { line: "operator seal", want: /sealed/ },
      { line: "kv get secret/app", code: 2, want: /Vault is sealed/ },
    ]) {
      const said = await run(line.split(" "), token);
      expect(`${said.out}${said.err}`, line).toMatch(want);
      expect(said.code, line).toBe(code);
    }
  });
});

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function withCommandLine(
  use: (run: (words: readonly string[], token?: string) => Promise<Said>) => Promise<void>,
) {
  const home = await mkdtemp(join(tmpdir(), "secrets-command-line-"));
  const store = openMemoryStore();
  const secrets = await openSecrets({ store, version: "1.17.0" });
  const listener = await listen({
    address: { kind: "tcp", host: "127.0.0.1", port: 0 },
    service: secrets.handle,
    clock: systemClock,
    log: silentLog,
    requestId: () => "1",
  });
  const url = listener.address.kind === "tcp" ? `http://127.0.0.1:${listener.address.port}` : "";
  const run = (words: readonly string[], token = ""): Promise<Said> => {
    const env = { HOME: home, BAO_ADDR: url, VAULT_ADDR: url, BAO_TOKEN: token, VAULT_TOKEN: token };
    return new Promise((resolve) => {
      execFile(program ?? "", [...words], { env }, (error, out, err) => {
        resolve({ code: typeof error?.code === "number" ? error.code : error ? -1 : 0, out, err });
      });
    });
  };
  try {
    await use(run);
  } finally {
    await listener.close(1_000);
    await secrets.close();
    await store.close();
    await rm(home, { recursive: true });
  }
}
