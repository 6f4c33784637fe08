import { writeFile, rm, chmod } from "node:fs/promises";
import type { VaultClient, VaultSecret } from "@millwright/clients/vault";
import { tokenFile } from "@millwright/clients/vault-config";
import { messageOf } from "@millwright/core/errors";
import type { CommandIo } from "../../io.ts";
import { LocalMistake, vaultCommand } from "../command.ts";
import { dataOf, readAll } from "../data.ts";
import { askHidden } from "../prompt.ts";

/** `login`, and `auth TOKEN` as it was in 2016. */
export const login = vaultCommand({
  usage: "[flags] [TOKEN | KEY=VALUE ...]",
  about:
    "Logs in, and keeps the token in ~/.vault-token for the commands that follow. Asks for a token where none is given.",
  examples: ["login", "login -method=jwt role=app jwt=@token.jwt", "login -method=userpass username=ann"],
  flags: {
    method: { kind: "string", value: "TYPE", help: "token, jwt or userpass; token by default." },
    path: { kind: "string", value: "PATH", help: "Where the method is enabled; its type by default." },
    "no-store": { kind: "bool", help: "Do not keep the token." },
    "no-print": { kind: "bool", help: "Do not print the token." },
    "token-only": { kind: "bool", help: "Print only the token, and do not keep it." },
  },
  args: { least: 0, most: Number.POSITIVE_INFINITY },
  run: async ({ values, args, io, client, output }) => {
    const method = values.method ?? "token";
    const secret =
      method === "token"
        ? await byToken(args, io, client)
        : await byMethod(method, values.path ?? method, await dataOf(args, io), { io, client });
    const token = secret.auth?.clientToken ?? "";
    if (values["token-only"]) {
      await io.stdout(`${token}\n`);
      return 0;
    }
    if (!values["no-store"]) await keepToken(io, token);
    if (values["no-print"]) return 0;
    await output.say(
      'Success! You are now authenticated. The token below is kept for the commands\nthat follow: they need no "vault login" and no VAULT_TOKEN.\n',
    );
    if (io.env.VAULT_TOKEN && !values["no-store"])
      await io.stderr("Warning: VAULT_TOKEN is set, and wins over the token that was kept. Unset it.\n");
    return output.secret(secret);
  },
});

async function byToken(args: readonly string[], io: CommandIo, client: VaultClient): Promise<VaultSecret> {
  const [first, ...more] = args;
  if (more.length > 0) throw new LocalMistake("Write one token, or none to be asked for it.");
  const word = first?.startsWith("token=") ? first.slice("token=".length) : first;
  const given = word === "-" ? await readAll(io) : (word ?? (await askHidden(io, "Token (will be hidden): ")));
  const token = given.trim();
  if (token === "") throw new LocalMistake("There is no token. Give it at the prompt, or as the argument -.");
  const looked = await client.lookupSelf({ token, signal: io.signal });
  const data = looked.data ?? {};
  const policies = Array.isArray(data.policies) ? data.policies.map(String) : [];
  const auth = {
    clientToken: token,
    accessor: String(data.accessor ?? ""),
    policies,
    tokenPolicies: policies,
    metadata: {},
    leaseDuration: Number(data.ttl ?? 0),
    renewable: data.renewable === true,
  };
  const raw = { client_token: token, accessor: auth.accessor, policies, token_policies: policies };
  return {
    ...looked,
    data: undefined,
    auth,
    raw: { auth: { ...raw, lease_duration: auth.leaseDuration, renewable: auth.renewable } },
  };
}

async function byMethod(
  method: string,
  path: string,
  data: Record<string, unknown>,
  { io, client }: { readonly io: CommandIo; readonly client: VaultClient },
): Promise<VaultSecret> {
  const { username, ...rest } = data;
  if (method === "userpass" && typeof username !== "string")
    throw new LocalMistake("The method userpass needs username=NAME.");
  const body =
    method === "userpass" && rest.password === undefined
      ? { password: await askHidden(io, "Password (will be hidden): ") }
      : rest;
  const place = method === "userpass" ? `auth/${path}/login/${String(username)}` : `auth/${path}/login`;
  const secret = await client.write(place, method === "userpass" ? body : data, { token: "", signal: io.signal });
  if (!secret?.auth) throw new LocalMistake(`The answer of ${place} holds no login. Check -method and -path.`);
  return secret;
}

async function keepToken(io: CommandIo, token: string): Promise<void> {
  const file = tokenFile(io.env);
  if (file === undefined) throw new LocalMistake("HOME is not set: there is no place for the token. Use -no-store.");
  try {
    // A file of another user's making could be read by that user.
    await rm(file, { force: true });
    await writeFile(file, token, { mode: 0o600 });
    await chmod(file, 0o600);
  } catch (error) {
    throw new LocalMistake(`Cannot keep the token in ${file}: ${messageOf(error)}. Use -no-store.`, { cause: error });
  }
}

/** `token lookup`. */
export const lookupToken = vaultCommand({
  usage: "[flags] [TOKEN | ACCESSOR]",
  about: "Shows what a token may do and how long it lives: the client's own where none is named.",
  examples: ["token lookup", "token lookup -accessor 8609694a-…"],
  flags: { accessor: { kind: "bool", help: "The argument is an accessor." } },
  args: { least: 0, most: 1 },
  run: async ({ values, args: [named], io, client, output }) => {
    const options = { signal: io.signal };
    if (named === undefined) return output.secret(await client.lookupSelf(options));
    const secret = values.accessor
      ? await client.write("auth/token/lookup-accessor", { accessor: named }, options)
      : await client.write("auth/token/lookup", { token: named }, options);
    return secret ? output.secret(secret) : output.say("There is no such token.");
  },
});

/** `token create`. */
export const createToken = vaultCommand({
  usage: "[flags]",
  about: "Makes a token, a child of the client's own.",
  examples: ["token create -policy=readonly -ttl=1h"],
  flags: {
    policy: {
      kind: "strings",
      value: "NAME",
      help: "A policy for it; may be given several times. Those of the client by default.",
    },
    ttl: { kind: "string", value: "TIME", help: "How long it lives, unless it is renewed: 1h." },
    "explicit-max-ttl": { kind: "string", value: "TIME", help: "How long it can live at most." },
    period: { kind: "string", value: "TIME", help: "Each renewal gives it this much again, without end." },
    "display-name": { kind: "string", value: "NAME", help: "How audit logs name it." },
    metadata: { kind: "strings", value: "KEY=VALUE", help: "Said of it in audit logs; may be given several times." },
    "use-limit": { kind: "int", value: "N", help: "How often it can be used; 0 is without limit." },
    orphan: { kind: "bool", help: "It does not end with the client's own token." },
    "no-default-policy": { kind: "bool", help: "Without the policy default." },
    renewable: { kind: "string", value: "BOOL", help: "Whether it can be renewed; true by default." },
    role: { kind: "string", value: "NAME", help: "The role that says what it is like." },
  },
  args: { least: 0, most: 0 },
  run: async ({ values, io, client, output }) => {
    const body = {
      ...(values.policy.length > 0 ? { policies: values.policy } : {}),
      ...(values.ttl === undefined ? {} : { ttl: values.ttl }),
      ...(values["explicit-max-ttl"] === undefined ? {} : { explicit_max_ttl: values["explicit-max-ttl"] }),
      ...(values.period === undefined ? {} : { period: values.period }),
      ...(values["display-name"] === undefined ? {} : { display_name: values["display-name"] }),
      ...(values.metadata.length > 0 ? { meta: await dataOf(values.metadata, io) } : {}),
      ...(values["use-limit"] === undefined ? {} : { num_uses: values["use-limit"] }),
      ...(values["no-default-policy"] ? { no_default_policy: true } : {}),
      ...(values.orphan ? { no_parent: true } : {}),
      ...(values.renewable === undefined ? {} : { renewable: values.renewable === "true" }),
    };
    const path = values.role === undefined ? "auth/token/create" : `auth/token/create/${values.role}`;
    const secret = await client.write(path, body, { signal: io.signal });
    return secret ? output.secret(secret) : output.say("The server made no token.");
  },
});

/** `token renew`. */
export const renewToken = vaultCommand({
  usage: "[flags] [TOKEN]",
  about: "Extends a token's life: the client's own where none is named.",
  examples: ["token renew", "token renew -increment=30m"],
  flags: { increment: { kind: "string", value: "TIME", help: "How long it is to live from now." } },
  args: { least: 0, most: 1 },
  run: async ({ values, args: [token], io, client, output }) => {
    const increment = values.increment === undefined ? {} : { increment: values.increment };
    const path = token === undefined ? "auth/token/renew-self" : "auth/token/renew";
    const body = token === undefined ? increment : { token, ...increment };
    const secret = await client.write(path, body, { signal: io.signal });
    return secret ? output.secret(secret) : output.say("Success! The token was renewed.");
  },
});

/** `token revoke`. */
export const revokeToken = vaultCommand({
  usage: "[flags] [TOKEN | ACCESSOR]",
  about: "Ends a token with its children and everything that was leased through them.",
  examples: ["token revoke -self", "token revoke -accessor 8609694a-…"],
  flags: {
    accessor: { kind: "bool", help: "The argument is an accessor." },
    self: { kind: "bool", help: "The client's own token." },
    mode: { kind: "string", value: "MODE", help: "orphan leaves its children alive." },
  },
  args: { least: 0, most: 1 },
  run: async ({ values, args: [named], io, client, output }) => {
    const options = { signal: io.signal };
    if (values.self) await client.write("auth/token/revoke-self", {}, options);
    else if (named === undefined) throw new LocalMistake("Name a token, or use -self for the client's own.");
    else if (values.accessor) await client.write("auth/token/revoke-accessor", { accessor: named }, options);
    else
      await client.write(
        values.mode === "orphan" ? "auth/token/revoke-orphan" : "auth/token/revoke",
        { token: named },
        options,
      );
    return output.say("Success! Revoked token (if it existed)");
  },
});

/** `token capabilities`. */
export const tokenCapabilities = vaultCommand({
  usage: "[flags] [TOKEN] PATH",
  about: "Shows what a token may do on a path: the client's own where none is named.",
  examples: ["token capabilities secret/data/app"],
  flags: {},
  args: { least: 1, most: 2 },
  run: async ({ args, io, client, output }) => {
    const [token, path] = args.length === 2 ? args : [undefined, args[0]];
    const where = token === undefined ? "sys/capabilities-self" : "sys/capabilities";
    const body = { ...(token === undefined ? {} : { token }), paths: [path] };
    const secret = await client.write(where, body, { signal: io.signal });
    const found = secret?.data?.capabilities;
    const names = Array.isArray(found) ? found.map(String).sort() : [];
    if (output.format !== "table") return output.table([], [], names);
    await io.stdout(`${names.join(", ")}\n`);
    return 0;
  },
});
