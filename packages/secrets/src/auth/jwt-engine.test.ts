import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { CompactSign, exportJWK } from "jose";
import { isKind } from "@millwright/core/errors";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openEngine } from "../../test/open-engine.ts";
import type { EngineReply } from "../engine.ts";
import { secretsErrors } from "../errors.ts";
import { memoryStorage } from "../memory-storage.ts";
import type { fetchJson } from "./fetch-json.ts";
import { jwtEngine } from "./jwt-engine.ts";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ed = generateKeyPairSync("ed25519");
const ec = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const stranger = generateKeyPairSync("rsa", { modulusLength: 2048 });
const pemOf = (key: KeyObject) => key.export({ type: "spki", format: "pem" }).toString();

const now = Date.parse("2026-01-02T03:04:05Z");
const seconds = now / 1000;

interface Signing {
  readonly alg?: string;
  readonly key?: KeyObject;
  readonly kid?: string;
}

function sign(claims: Readonly<Record<string, unknown>>, signing: Signing = {}): Promise<string> {
  const { alg = "RS256", key = rsa.privateKey, kid } = signing;
  return new CompactSign(Buffer.from(JSON.stringify(claims)))
    .setProtectedHeader(kid === undefined ? { alg } : { alg, kid })
    .sign(key);
}

const claims = {
  iss: "https://nomad",
  sub: "web",
  aud: "vault.io",
  exp: seconds + 60,
  iat: seconds,
  job: { id: "j-1" },
};
const role = { user_claim: "sub", bound_audiences: "vault.io", token_policies: ["web"] };

async function ready(config: Readonly<Record<string, unknown>> = { jwt_validation_pubkeys: pemOf(rsa.publicKey) }) {
  const opened = await openEngine(jwtEngine(), { time: { now } });
  const call: typeof opened.call = async (...request) => {
    try {
      return await opened.call(...request);
    } catch (error) {
      if (!isKind(error, secretsErrors.badRequest)) throw error;
      return { kind: "refused", status: 400, errors: [error.message] };
    }
  };
  const written = await call("update", "config", config);
  const login = (jwt: string, name = "web") => call("update", "login", { role: name, jwt });
  return { ...opened, call, login, written };
}

function said(reply: EngineReply): string {
  return reply.kind === "refused" ? `${reply.status} ${reply.errors.join("; ")}` : reply.kind;
}

describe("a login", () => {
  test("gives the token that the role says", async () => {
    const { call, login, engine } = await ready();
    expect(engine.openPaths).toEqual(["login"]);
    await call("create", "role/web", {
      ...role,
      user_claim: "/job/id",
      claim_mappings: { sub: "subject", "/job/id": "job", absent: "absent" },
      token_ttl: "10m",
      token_max_ttl: 3600,
      token_explicit_max_ttl: "2h",
      token_num_uses: 3,
      token_no_default_policy: true,
    });
    expect(await login(await sign(claims))).toEqual({
      kind: "login",
      auth: {
        displayName: "jwt-j-1",
        policies: ["web"],
        metadata: { role: "web", subject: "web", job: "j-1" },
        ttl: 600,
        maxTtl: 3600,
        explicitMaxTtl: 7200,
        period: 0,
        numUses: 3,
        renewable: true,
        withDefaultPolicy: false,
      },
    });
  });

  const algorithms = [
    { alg: "RS256", keys: rsa },
    { alg: "PS512", keys: rsa },
    { alg: "ES256", keys: ec },
    { alg: "EdDSA", keys: ed },
  ];
  test.each(algorithms)("works with $alg, whichever of the keys it is", async ({ alg, keys }) => {
    const { call, login } = await ready({
      jwt_validation_pubkeys: [stranger, rsa, ec, ed].map((k) => pemOf(k.publicKey)),
    });
    await call("create", "role/web", role);
    expect(said(await login(await sign(claims, { alg, key: keys.privateKey })))).toBe("login");
  });

  const times = [
    { name: "that has just ended is let in", more: { exp: seconds - 59 }, want: "login" },
    { name: "that has ended is refused", more: { exp: seconds - 61 }, want: "token is expired" },
    { name: "that begins later is refused", more: { nbf: seconds + 61 }, want: "token is not valid yet" },
    { name: "issued later is refused", more: { iat: seconds + 61, nbf: seconds }, want: "issued in the future" },
    {
      name: "without times is refused",
      more: { exp: undefined, iat: undefined },
      want: "no issue time, not before, or exp",
    },
    { name: "without an end lasts a while", more: { exp: undefined, iat: seconds - 209 }, want: "login" },
    { name: "without an end does not last", more: { exp: undefined, iat: seconds - 211 }, want: "token is expired" },
    { name: "with an end that is no number is refused", more: { exp: "soon" }, want: "exp claim is no number" },
  ];
  test.each(times)("with a token $name", async ({ more, want }) => {
    const { call, login } = await ready();
    await call("create", "role/web", role);
    expect(said(await login(await sign({ ...claims, ...more })))).toContain(want);
  });

  test("without leeway where the role says so", async () => {
    const { call, login } = await ready();
    await call("create", "role/web", { ...role, clock_skew_leeway: -1 });
    expect(said(await login(await sign({ ...claims, exp: seconds - 1 })))).toContain("token is expired");
  });

  const bounds = [
    { name: "the audience", role: { bound_audiences: ["x", "vault.io"] }, want: "login" },
    { name: "another audience", role: { bound_audiences: "x" }, want: "aud claim does not match" },
    {
      name: "no audience of the role",
      role: { bound_audiences: "", bound_subject: "web" },
      want: "no audiences bound",
    },
    { name: "the subject", role: { bound_subject: "web" }, want: "login" },
    { name: "another subject", role: { bound_subject: "Web" }, want: "sub claim does not match" },
    { name: "a claim", role: { bound_claims: { "/job/id": "j-1" } }, want: "login" },
    { name: "one of several values", role: { bound_claims: { groups: ["x", "b"], level: 3 } }, want: "login" },
    {
      name: "none of several values",
      role: { bound_claims: { groups: ["x", "y"] } },
      want: 'claim "groups" does not match',
    },
    { name: "a claim that is not there", role: { bound_claims: { team: "x" } }, want: 'claim "team" is missing' },
    { name: "a star as text", role: { bound_claims: { sub: "w*" } }, want: 'claim "sub" does not match' },
    { name: "a star", role: { bound_claims: { sub: "w*" }, bound_claims_type: "glob" }, want: "login" },
    { name: "no user", role: { user_claim: "name" }, want: 'claim "name" not found in token' },
    { name: "a user that is no text", role: { user_claim: "job" }, want: 'claim "job" not found in token' },
  ];
  test.each(bounds)("with $name", async ({ role: more, want }) => {
    const { call, login } = await ready();
    expect(said(await call("create", "role/web", { ...role, ...more }))).toBe("done");
    const reply = await login(await sign({ ...claims, groups: ["a", "b"], level: 3 }));
    expect(said(reply)).toContain(want);
  });

  test("is refused for what no key of the issuer signed, without a word of the token", async () => {
    const { call, login } = await ready();
    await call("create", "role/web", role);
    const good = await sign(claims);
    const [header, payload, signature] = good.split(".");
    const forged = Buffer.from(JSON.stringify({ ...claims, sub: "admin" })).toString("base64url");
    const none = Buffer.from('{"alg":"none"}').toString("base64url");
    const shared = Buffer.from('{"alg":"HS256"}').toString("base64url");
    const hmac = await new CompactSign(Buffer.from(JSON.stringify(claims)))
      .setProtectedHeader({ alg: "HS256" })
      .sign(Buffer.from(pemOf(rsa.publicKey)));
    const bad = [
      await sign(claims, { key: stranger.privateKey }),
      `${header}.${forged}.${signature}`,
      `${none}.${payload}.`,
      `${shared}.${payload}.${signature}`,
      hmac,
      "rubbish!",
      "",
    ];
    for (const jwt of bad) {
      const text = said(await login(jwt));
      expect(text).toMatch(/^400 (error validating token: error verifying token signature|missing token)/);
      for (const part of jwt.split(".")) if (part.length > 5) expect(text).not.toContain(part);
    }
  });

  test("is refused for another issuer, an unknown role, and before there is a configuration", async () => {
    const { call, login } = await ready({
      jwt_validation_pubkeys: pemOf(rsa.publicKey),
      bound_issuer: "https://other",
    });
    await call("create", "role/web", role);
    expect(said(await login(await sign(claims)))).toContain("invalid issuer (iss) claim");
    expect(said(await login("x", "nobody"))).toBe('400 role "nobody" could not be found');
    expect(said(await login("x", ".."))).toBe('400 role ".." could not be found');
    const fresh = await openEngine(jwtEngine());
    expect(said(await fresh.call("update", "login", { role: "web", jwt: "x" }))).toContain(
      "write it to jwt/config first",
    );
  });

  test("takes the default role, and only the algorithms that are allowed", async () => {
    const pems = [rsa, ed].map((keys) => pemOf(keys.publicKey));
    const { call } = await ready({ jwt_validation_pubkeys: pems, default_role: "web", jwt_supported_algs: "EdDSA" });
    await call("create", "role/web", role);
    const jwt = await sign(claims, { alg: "EdDSA", key: ed.privateKey });
    expect(said(await call("update", "login", { jwt }))).toBe("login");
    expect(said(await call("update", "login", { jwt: await sign(claims) }))).toContain(
      "error verifying token signature",
    );
  });
});

describe("an issuer's keys at an address", () => {
  const documents = new Map<string, unknown>();
  const requested: string[] = [];
  const answer: Parameters<typeof createHttpServer>[1] = (request, response) => {
    requested.push(request.url ?? "");
    const document = documents.get(request.url ?? "");
    response.writeHead(document === undefined ? 404 : 200).end(JSON.stringify(document));
  };
  const tls = (name: string) => readFileSync(new URL(`../../testdata/tls/${name}`, import.meta.url));
  const plain = createHttpServer({}, answer);
  const secure = createHttpsServer({ key: tls("server.key"), cert: tls("server.crt") }, answer);
  let [plainUrl, secureUrl] = ["", ""];

  beforeAll(async () => {
    for (const server of [plain, secure]) await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    plainUrl = `http://127.0.0.1:${(plain.address() as AddressInfo).port}`;
    secureUrl = `https://127.0.0.1:${(secure.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    plain.close();
    secure.close();
  });

  const jwk = async (key: KeyObject, kid: string) => ({ ...(await exportJWK(key)), kid, use: "sig" });

  test("are fetched once, and again when one is missing", async () => {
    documents.set("/keys", { keys: [await jwk(ed.publicKey, "1")] });
    const { call, login, written, time } = await ready({ jwks_url: `${plainUrl}/keys` });
    expect(said(written)).toBe("done");
    await call("create", "role/web", role);
    requested.length = 0;
    for (let i = 0; i < 3; i++) {
      expect(said(await login(await sign(claims, { alg: "EdDSA", key: ed.privateKey, kid: "1" })))).toBe("login");
    }
    expect(requested).toEqual(["/keys"]);
    documents.set("/keys", { keys: [await jwk(ec.publicKey, "2"), await jwk(rsa.publicKey, "3")] });
    expect(time.now).toBe(now);
    const unnamed = await sign(claims, { alg: "ES256", key: ec.privateKey });
    expect(said(await login(unnamed))).toContain("no known key signed");
    expect(requested).toEqual(["/keys"]);
  });

  test("are found through discovery over TLS with an authority of its own, and name the issuer", async () => {
    documents.set("/keys", { keys: [await jwk(rsa.publicKey, "1"), await jwk(stranger.publicKey, "2")] });
    documents.set("/.well-known/openid-configuration", { issuer: secureUrl, jwks_uri: `${secureUrl}/keys` });
    const oidc_discovery_ca_pem = tls("server.crt").toString();
    const { call, login, written } = await ready({ oidc_discovery_url: `${secureUrl}/`, oidc_discovery_ca_pem });
    expect(said(written)).toBe("done");
    await call("create", "role/web", role);
    expect(said(await login(await sign({ ...claims, iss: secureUrl })))).toBe("login");
    expect(said(await login(await sign(claims)))).toContain("invalid issuer");
  });

  const faults = [
    { name: "nobody answers", config: () => ({ jwks_url: "http://127.0.0.1:1/keys" }), want: "ECONNREFUSED" },
    {
      name: "there is nothing",
      config: () => ({ jwks_url: `${plainUrl}/none` }),
      want: "the answer has the status 404",
    },
    { name: "there are no keys", config: () => ({ jwks_url: `${plainUrl}/text` }), want: "no set of keys" },
    { name: "the certificate is not trusted", config: () => ({ jwks_url: `${secureUrl}/keys` }), want: "certificate" },
    {
      name: "another issuer answers",
      config: () => ({ oidc_discovery_url: plainUrl }),
      want: "the answer is of another issuer",
    },
  ];
  test.each(faults)("are refused with the configuration where $name", async ({ config, want }) => {
    documents.set("/text", "text");
    documents.set("/.well-known/openid-configuration", { issuer: "https://x", jwks_uri: `${plainUrl}/keys` });
    const { written, call } = await ready(config());
    expect(said(written)).toContain("400 error checking the keys' address, so nothing was written");
    expect(said(written)).toContain(want);
    expect(await call("read", "config")).toEqual({ kind: "missing" });
  });

  test("that cannot be fetched at a login are no fault of the caller's", async () => {
    const { call, login } = await ready({ jwks_url: "http://127.0.0.1:1/keys", skip_jwks_validation: true });
    await call("create", "role/web", role);
    expect(said(await login(await sign(claims)))).toContain("502 the issuer's keys could not be fetched: http://127");
  });

  test("are fetched again after a while, and when one is missing at most every ten seconds", async () => {
    let passed = 0;
    let fetched = 0;
    const count: typeof fetchJson = async () => {
      fetched++;
      return documents.get("/keys");
    };
    documents.set("/keys", { keys: [await jwk(rsa.publicKey, "1")] });
    const { open } = jwtEngine({ fetchJson: count });
    const { storage } = await openEngine(jwtEngine(), { storage: memoryStorage() });
    const clock = { now: () => now, monotonic: () => passed, sleep: async () => undefined };
    const mount = { path: "auth/jwt/" } as Parameters<typeof open>[0]["mount"];
    const engine = await open({ mount, storage, clock, chance: {} as never, log: { write: () => undefined } });
    const call = (path: string, data: Readonly<Record<string, unknown>>) =>
      engine.handle({ operation: "update", path, data, remote: "" });
    await call("config", { jwks_url: "https://x/keys", skip_jwks_validation: true });
    await call("role/web", role);
    const login = async (kid: string) => said(await call("login", { role: "web", jwt: await sign(claims, { kid }) }));
    expect([await login("1"), fetched]).toEqual(["login", 1]);
    expect([(await login("2")).slice(0, 3), fetched]).toEqual(["400", 1]);
    passed = 10_000;
    expect([(await login("2")).slice(0, 3), fetched]).toEqual(["400", 2]);
    documents.set("/keys", { keys: [await jwk(rsa.publicKey, "1"), await jwk(rsa.publicKey, "2")] });
    expect([(await login("2")).slice(0, 3), fetched]).toEqual(["400", 2]);
    passed = 20_000;
    expect([await login("2"), fetched]).toEqual(["login", 3]);
    passed += 599_000;
    expect([await login("1"), fetched]).toEqual(["login", 3]);
    passed += 1000;
    expect([await login("1"), fetched]).toEqual(["login", 4]);
  });
});

describe("the configuration", () => {
  test("is read as it was written, and replaced whole", async () => {
    const { call } = await ready({ jwt_validation_pubkeys: pemOf(ed.publicKey), default_role: "web" });
    await call("update", "config", { jwt_validation_pubkeys: [pemOf(ed.publicKey)], bound_issuer: "https://x" });
    expect(await call("read", "config")).toMatchObject({
      data: {
        jwt_validation_pubkeys: [pemOf(ed.publicKey).trim()],
        bound_issuer: "https://x",
        default_role: "",
        jwks_url: "",
        jwt_supported_algs: [],
      },
    });
  });

  const faults = [
    { name: "nothing", config: {}, want: "exactly one of" },
    { name: "two sources", config: { jwks_url: "https://x", oidc_discovery_url: "https://x" }, want: "exactly one of" },
    { name: "no key", config: { jwt_validation_pubkeys: "x" }, want: "no public key and no certificate in PEM" },
    { name: "no address", config: { jwks_url: "file:///etc" }, want: "begins with https://" },
    { name: "a password", config: { jwks_url: "https://u:p@x/" }, want: "without a password" },
    {
      name: "a shared secret's algorithm",
      config: { jwks_url: "https://x", jwt_supported_algs: ["HS256"] },
      want: "jwt_supported_algs: there are RS256",
    },
    {
      name: "a private key",
      config: { jwt_validation_pubkeys: ed.privateKey.export({ type: "pkcs8", format: "pem" }).toString() },
      want: "this is a private key",
    },
  ];
  test.each(faults)("with $name is refused", async ({ config, want }) => {
    const { written } = await ready(config);
    expect(said(written)).toContain(want);
    for (const line of String(Object.values(config)[0]).split("\n"))
      if (line.length > 40) expect(said(written)).not.toContain(line);
  });
});

describe("a role", () => {
  test("is written, changed, read, listed and removed", async () => {
    const { call, engine } = await ready();
    const about = { operation: "update", path: "role/web", data: {}, remote: "" } as const;
    expect(await engine.exists!(about)).toBe(false);
    await call("create", "role/Web", { ...role, bound_claims: { team: ["a", 1, true] } });
    expect(await engine.exists!(about)).toBe(true);
    await call("update", "role/web", { token_ttl: "5m" });
    expect(await call("read", "role/web")).toMatchObject({
      data: {
        role_type: "jwt",
        bound_audiences: ["vault.io"],
        bound_claims: { team: ["a", "1", "true"] },
        bound_claims_type: "string",
        user_claim: "sub",
        token_policies: ["web"],
        token_ttl: 300,
        token_type: "default",
      },
    });
    expect(await call("list", "role/")).toEqual({ kind: "data", data: { keys: ["web"] } });
    await call("delete", "role/web");
    expect(await call("list", "role")).toEqual({ kind: "missing" });
  });

  const faults = [
    { name: "without a user", data: { bound_audiences: "x" }, want: "a user claim must be defined" },
    { name: "without a bound", data: { user_claim: "sub" }, want: "at least one bound constraint" },
    { name: "for people at a browser", data: { ...role, role_type: "oidc" }, want: 'there is "jwt" only' },
    {
      name: "bound to addresses",
      data: { ...role, token_bound_cidrs: "10.0.0.0/8" },
      want: "cannot be bound to addresses",
    },
    { name: "with batch tokens", data: { ...role, token_type: "batch" }, want: "no tokens of type" },
    { name: "with groups", data: { ...role, groups_claim: "g" }, want: "there are no groups" },
    { name: "with times out of order", data: { ...role, token_ttl: 10, token_max_ttl: 5 }, want: "not be greater" },
    {
      name: "with two claims for one name",
      data: { ...role, claim_mappings: { a: "x", b: "x" } },
      want: "multiple keys",
    },
  ];
  test.each(faults)("$name is refused", async ({ data, want }) => {
    const { call } = await ready();
    expect(said(await call("create", "role/web", data))).toContain(want);
  });

  test("warns of what it does not know", async () => {
    const { call } = await ready();
    expect(await call("create", "role/web", { ...role, colour: "red" })).toEqual({
      kind: "done",
      warnings: ["Endpoint ignored these unrecognized parameters: [colour]"],
    });
  });
});
