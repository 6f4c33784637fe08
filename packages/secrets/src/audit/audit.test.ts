import { createHmac } from "node:crypto";
import { mkdtemp, readFile, rename, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openTestServer, type TestServer } from "../../test/secrets-server.ts";
import type { EngineType } from "../engine.ts";
import { builtInEngines } from "../secrets.ts";
import { hashText } from "./hashing.ts";

describe("an audit file", () => {
  test("has each request before it is carried out, and each answer, with texts hashed", async () => {
    await over(async ({ call, ask, rootToken }, file) => {
      await call("PUT sys/audit/file", { type: "file", options: { file_path: file } });
      await call("PUT secret/data/app", { data: { password: "hunter2", n: 7, on: true, list: ["x", 1] } });
      await ask("GET secret/data/app", undefined, { token: "hvs.wrong" });
      const lines = await linesOf(file);
      // The first is the trial, the second the answer to enabling.
      expect(lines.map(({ type, request }) => `${type} ${request.operation} ${request.path}`)).toEqual([
        "request update sys/audit/test",
        "response update sys/audit/file",
        "request create secret/data/app",
        "response create secret/data/app",
        "request read secret/data/app",
        "response read secret/data/app",
      ]);
      const [, , request, response, refused] = lines;
      const hashed = await hashBy(call);
      expect(request).toMatchObject({
        auth: { client_token: await hashed(rootToken), policies: ["root"], policy_results: { allowed: true } },
        request: {
          client_token: await hashed(rootToken),
          mount_point: "secret/",
          mount_type: "kv",
          remote_address: "127.0.0.1",
          remote_port: 4711,
          data: { data: { password: await hashed("hunter2"), n: 7, on: true, list: [await hashed("x"), 1] } },
        },
      });
      expect(response?.response).toMatchObject({ data: { version: 1 } });
      expect(response?.request.id).toBe(request?.request.id);
      expect(refused).toMatchObject({ error: expect.stringMatching(/permission denied\s+\* invalid token/) });
      const text = await readFile(file, "utf8");
      for (const secret of ["hunter2", rootToken]) expect(text).not.toContain(secret);
      expect((await stat(file)).mode & 0o777).toBe(0o600);
    });
  });

  test("has a login, a lease and a wrapping token with hashed secrets", async () => {
    await over(async ({ call }, file) => {
      await call("PUT sys/audit/file", { type: "file", options: { file_path: file } });
      const { auth } = (await call("POST auth/token/create", { policies: ["default"] })).json;
      const headers = { "x-vault-wrap-ttl": "60" };
      const { token } = (await call("GET sys/mounts", undefined, { headers })).json.wrap_info!;
      const text = await readFile(file, "utf8");
      for (const secret of [auth!.client_token, auth!.accessor, token]) expect(text).not.toContain(secret);
      const hashed = await hashBy(call);
      expect(text).toContain(await hashed(auth!.client_token));
      expect(text).toContain(await hashed(token));
    });
  });

  test("has in clear what the mount says, what the device says, and nothing else", async () => {
    await over(async ({ call, rootToken }, file) => {
      await call("POST sys/mounts/plain", { type: "kv", config: { audit_non_hmac_request_keys: "user" } });
      await call("PUT sys/audit/raw", {
        type: "file",
        options: { file_path: `${file}.raw`, log_raw: "true", prefix: "@" },
      });
      await call("PUT sys/audit/file", { type: "file", options: { file_path: file, hmac_accessor: false } });
      await call("PUT plain/a", { user: "alice", pass: "hunter2" });
      const text = await readFile(file, "utf8");
      expect(text).toContain('"user":"alice"');
      expect(text).not.toContain("hunter2");
      const raw = await readFile(`${file}.raw`, "utf8");
      expect(raw).toContain('"pass":"hunter2"');
      expect(raw).toContain(rootToken);
      expect(raw.split("\n").every((line) => line === "" || line.startsWith("@{"))).toBe(true);
    });
  });

  test("that was moved away is opened anew", async () => {
    await over(async ({ call, secrets }, file) => {
      await call("PUT sys/audit/file", { type: "file", options: { file_path: file } });
      await rename(file, `${file}.1`);
      await call("GET sys/mounts");
      await secrets.reopenAudit();
      await call("GET sys/auth");
      expect((await linesOf(`${file}.1`)).some(({ request }) => request.path === "sys/mounts")).toBe(true);
      expect((await linesOf(file)).map(({ request }) => request.path)).toEqual(["sys/auth", "sys/auth"]);
    });
  });

  test("survives a restart with the same salt, and is gone once disabled", async () => {
    await over(async ({ call, secrets, unsealKeys }, file) => {
      await call("PUT sys/audit/file", { type: "file", options: { file_path: file } });
      const before = (await call("PUT sys/audit-hash/file", { input: "x" })).json.data;
      await secrets.seal();
      await secrets.unseal(unsealKeys[0]!);
      expect((await call("PUT sys/audit-hash/file", { input: "x" })).json.data).toEqual(before);
      expect((await call("GET sys/audit")).json).toMatchObject({
        "file/": { type: "file", options: { file_path: file } },
      });
      await call("DELETE sys/audit/file");
      const { size } = await stat(file);
      await call("GET sys/mounts");
      expect((await stat(file)).size).toBe(size);
    });
  });
});

test("a file that could be run is refused", async () => {
  await over(async ({ ask }, file) => {
    const { status, json } = await ask("PUT sys/audit/file", {
      type: "file",
      options: { file_path: file, mode: "0750", prefix: "#!/bin/sh\n" },
    });
    expect([status, json.errors?.[0]]).toEqual([400, expect.stringContaining("must not let anybody run it")]);
    await expect(stat(file)).rejects.toThrow("ENOENT");
  });
});

describe("where no device can be written", () => {
  test("a device is not enabled", async () => {
    await over(async ({ ask, call }, file) => {
      for (const path of ["/dev/full", `${file}/no/such/folder`]) {
        const { status, json } = await ask("PUT sys/audit/file", { type: "file", options: { file_path: path } });
        expect(status).toBe(400);
        expect(json.errors?.[0]).toContain(path);
      }
      expect((await call("GET sys/audit")).json.data).toEqual({});
    });
  });

  test("a request is not carried out, and answered with 500", async () => {
    const world = new Set<string>();
    await over(
      async ({ call, ask, breakAudit }) => {
        await call("POST sys/mounts/logins", { type: "logins" });
        await breakAudit();
        const { status, json } = await ask("GET logins/creds/a");
        expect(status).toBe(500);
        expect(json.errors?.[0]).toMatch(/no audit device could be written. The request was not carried out/);
        expect(world.size).toBe(0);
      },
      { engines: [loginEngine(world, () => undefined)] },
    );
  });

  test("an answer is held back, and what was made for it is taken back", async () => {
    const world = new Set<string>();
    let breakNow: (() => Promise<void>) | undefined;
    await over(
      async ({ call, ask, breakAudit }) => {
        await call("POST sys/mounts/logins", { type: "logins" });
        breakNow = breakAudit;
        const { status, json, text } = await ask("GET logins/creds/a");
        expect(status).toBe(500);
        expect(json.errors?.[0]).toMatch(/The answer is held back/);
        expect(text).not.toContain("pass");
        expect(world.size).toBe(0);
      },
      { engines: [loginEngine(world, () => breakNow?.())] },
    );
  });

  test("an answer that comes after the server was sealed is not given", async () => {
    const world = new Set<string>();
    const asked = Promise.withResolvers<void>();
    const sealed = Promise.withResolvers<void>();
    const meanwhile = () => {
      asked.resolve();
      return sealed.promise;
    };
    await over(
      async ({ call, ask, secrets }, file) => {
        await call("POST sys/mounts/logins", { type: "logins" });
        await call("PUT sys/audit/file", { type: "file", options: { file_path: file } });
        const answer = ask("GET logins/raw");
        await asked.promise;
        await secrets.seal();
        sealed.resolve();
        expect((await answer).status).toBe(503);
      },
      { engines: [loginEngine(world, meanwhile)] },
    );
  });

  test("one that works is enough", async () => {
    await over(async ({ call, breakAudit }, file) => {
      await call("PUT sys/audit/good", { type: "file", options: { file_path: file } });
      await breakAudit();
      expect((await call("GET sys/mounts")).status).toBe(200);
      expect((await linesOf(file)).at(-1)?.request.path).toBe("sys/mounts");
    });
  });
});

test("a hash is the HMAC of the text with the salt", () => {
  const salt = Buffer.from("salt");
  expect(hashText(salt, "text")).toBe(`hmac-sha256:${createHmac("sha256", "salt").update("text").digest("hex")}`);
});

interface AuditedServer extends TestServer {
  /** Enables a device whose file becomes one that takes nothing. */
  breakAudit(): Promise<void>;
}

interface Line {
  readonly type: string;
  readonly error?: string;
  readonly request: { readonly id: string; readonly operation: string; readonly path: string };
  readonly response?: unknown;
}

async function over(
  run: (server: AuditedServer, file: string) => Promise<void>,
  { engines = [] }: { readonly engines?: readonly EngineType[] } = {},
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "audit-"));
  const server = await openTestServer({ engines: [...builtInEngines(), ...engines] });
  const broken = join(folder, "link");
  const breakAudit = async () => {
    await server.call("PUT sys/audit/broken", { type: "file", options: { file_path: broken, mode: "0000" } });
    await rm(broken);
    await symlink("/dev/full", broken);
    await server.secrets.reopenAudit();
  };
  try {
    await run({ ...server, breakAudit }, join(folder, "audit.log"));
  } finally {
    await server.close();
    await rm(folder, { recursive: true });
  }
}

async function linesOf(file: string): Promise<readonly Line[]> {
  const text = await readFile(file, "utf8");
  expect(text.endsWith("\n")).toBe(true);
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
}

async function hashBy(call: TestServer["call"]): Promise<(text: string) => Promise<string>> {
  return async (text) => String((await call("PUT sys/audit-hash/file", { input: text })).json.data?.["hash"]);
}

function loginEngine(world: Set<string>, meanwhile: () => Promise<void> | undefined): EngineType {
  return {
    name: "logins",
    class: "secret",
    open: async () => ({
      handle: async ({ path }) => {
        if (path === "raw") {
          await meanwhile();
          return { kind: "data", data: { password: "pass" } };
        }
        const make = async () => {
          world.add("login");
          await meanwhile();
          return { password: "pass" };
        };
        return { kind: "lease", grant: { ttl: 60, maxTtl: 600, renewable: true, internal: {} }, make };
      },
      revokeLease: async () => {
        world.clear();
      },
    }),
  };
}
