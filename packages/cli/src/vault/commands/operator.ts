import type { VaultClient, VaultSealStatus, VaultSecret } from "@millwright/clients/vault";
import { OperationalError } from "@millwright/core/errors";
import { failureText, type Given, LocalMistake, remoteFailure, vaultCommand } from "../command.ts";
import { readAll } from "../data.ts";
import type { Row } from "../output.ts";
import { askHidden } from "../prompt.ts";

/** `status`: sealed or not. Exits with 0 where unsealed, 2 where sealed. */
export const status = vaultCommand({
  usage: "[flags]",
  about: "Shows whether the server is initialised and unsealed. Exits with 2 where it is sealed.",
  examples: ["status"],
  flags: {},
  args: { least: 0, most: 0 },
  run: async ({ io, client, output }) => {
    const found = await sealStatus(client, io.signal);
    await output.rows(statusRows(found), found.raw);
    return found.sealed ? remoteFailure : 0;
  },
});

// Exit code 2 stands for an answer here, so that a server which gives none is 1.
async function sealStatus(client: VaultClient, signal: AbortSignal): Promise<VaultSealStatus> {
  try {
    return await client.sealStatus({ signal });
  } catch (error) {
    if (!(error instanceof OperationalError) || signal.aborted) throw error;
    throw new LocalMistake(failureText(error), { cause: error });
  }
}

/** `operator init`: the keys and the root token, told once. */
export const init = vaultCommand({
  usage: "[flags]",
  about: "Makes the keys of a new server, and tells the unseal keys and the root token: this once.",
  examples: ["operator init", "operator init -key-shares=1 -key-threshold=1 -format=json"],
  flags: {
    "key-shares": { kind: "int", value: "N", help: "How many unseal keys to make; 5 by default." },
    "key-threshold": { kind: "int", value: "N", help: "How many of them unseal the server; 3 by default." },
    status: { kind: "bool", help: "Only tell whether it is initialised: 0 if so, 2 if not." },
  },
  args: { least: 0, most: 0 },
  run: async (given) => {
    const { values, io, client } = given;
    if (values.status) {
      const { initialized } = await sealStatus(client, io.signal);
      await given.output.say(initialized ? "Vault is initialized" : "Vault is not initialized");
      return initialized ? 0 : remoteFailure;
    }
    const shares = values["key-shares"] ?? 5;
    const threshold = values["key-threshold"] ?? Math.min(3, shares);
    const body = { secret_shares: shares, secret_threshold: threshold };
    const call = { method: "PUT", path: "sys/init", body, options: { signal: io.signal }, repeatable: false } as const;
    const answer = (await client.request(call)).body as InitAnswer;
    return printKeys(given, answer, { shares, threshold });
  },
});

interface InitAnswer {
  readonly keys: readonly string[];
  readonly keys_base64: readonly string[];
  readonly root_token: string;
}

async function printKeys(
  { io, output }: Pick<Given, "io" | "output">,
  answer: InitAnswer,
  { shares, threshold }: { readonly shares: number; readonly threshold: number },
): Promise<number> {
  if (output.format !== "table") {
    const data = {
      unseal_keys_b64: answer.keys_base64,
      unseal_keys_hex: answer.keys,
      unseal_shares: shares,
      unseal_threshold: threshold,
      recovery_keys_b64: [],
      recovery_keys_hex: [],
      recovery_keys_shares: 0,
      recovery_keys_threshold: 0,
      root_token: answer.root_token,
    };
    return output.rows([], data);
  }
  const keys = answer.keys_base64.map((key, i) => `Unseal Key ${i + 1}: ${key}\n`).join("");
  await io.stdout(`${keys}\nInitial Root Token: ${answer.root_token}\n\n`);
  await io.stdout(
    `Vault initialized with ${shares} key shares and a key threshold of ${threshold}.\n` +
      "Keep the keys apart from each other and from the server: they are told this\n" +
      `once. After each start ${threshold} of them unseal it (vault operator unseal);\n` +
      "with fewer nobody can, and what it holds is lost.\n",
  );
  return 0;
}

/** `operator unseal`: one key at a time. */
export const unseal = vaultCommand({
  usage: "[flags] [KEY]",
  about: "Gives the server one unseal key; asks for it where it is not on the line, so that no history keeps it.",
  examples: ["operator unseal", "operator unseal -reset"],
  flags: { reset: { kind: "bool", help: "Forget the keys given so far." } },
  args: { least: 0, most: 1 },
  run: async ({ values, args, io, client, output }) => {
    if (values.reset) {
      const found = await client.unseal({ reset: true }, { signal: io.signal });
      return output.rows(statusRows(found), found.raw);
    }
    const given =
      args[0] === "-" ? await readAll(io) : (args[0] ?? (await askHidden(io, "Unseal Key (will be hidden): ")));
    const key = given.trim();
    if (key === "") throw new LocalMistake("There is no unseal key. Give it at the prompt, or as the argument -.");
    const found = await client.unseal({ key }, { signal: io.signal });
    return output.rows(statusRows(found), found.raw);
  },
});

/** `operator seal`: forget the keys until the next unseal. */
export const seal = vaultCommand({
  usage: "[flags]",
  about: "Seals the server: it forgets its keys and answers nothing until it is unsealed again.",
  examples: ["operator seal"],
  flags: {},
  args: { least: 0, most: 0 },
  run: async ({ io, client, output }) => {
    await client.write("sys/seal", {}, { signal: io.signal });
    return output.say("Success! Vault is sealed.");
  },
});

/** `operator rotate`: a new encryption key for what is written from now on. */
export const rotate = vaultCommand({
  usage: "[flags]",
  about: "Makes a new encryption key for what is written from now on; what was written stays readable.",
  examples: ["operator rotate"],
  flags: {},
  args: { least: 0, most: 0 },
  run: async ({ io, client, output }) => {
    await client.write("sys/rotate", {}, { signal: io.signal });
    const secret = await client.read("sys/key-status", { signal: io.signal });
    await output.say("Success! Rotated key\n");
    return secret ? printKeyStatus({ io, output }, secret) : 0;
  },
});

/** `operator key-status`. */
export const keyStatus = vaultCommand({
  usage: "[flags]",
  about: "Shows which encryption key is in use, and since when.",
  examples: ["operator key-status"],
  flags: {},
  args: { least: 0, most: 0 },
  run: async ({ io, client, output }) => {
    const secret = await client.read("sys/key-status", { signal: io.signal });
    return secret ? printKeyStatus({ io, output }, secret) : output.say("The server tells nothing about its key.");
  },
});

async function printKeyStatus({ io, output }: Pick<Given, "io" | "output">, secret: VaultSecret): Promise<number> {
  if (output.format !== "table" || output.field !== undefined) return output.secret(secret);
  const { term, install_time: installed, encryptions } = secret.data ?? {};
  const lines = [
    `Key Term            ${term}`,
    `Install Time        ${installed}`,
    `Encryption Count    ${encryptions}`,
  ];
  await io.stdout(`${lines.join("\n")}\n`);
  return 0;
}

function statusRows(found: VaultSealStatus): Row[] {
  const unsealing: Row[] =
    found.sealed && found.initialized
      ? [
          ["Unseal Progress", `${found.progress}/${found.threshold}`],
          ["Unseal Nonce", String(found.raw.nonce || "n/a")],
        ]
      : [];
  const cluster: Row[] = found.sealed
    ? []
    : [
        ["Cluster Name", found.clusterName],
        ["Cluster ID", String(found.raw.cluster_id ?? "n/a")],
      ];
  return [
    ["Seal Type", found.type],
    ["Initialized", String(found.initialized)],
    ["Sealed", String(found.sealed)],
    ["Total Shares", String(found.shares)],
    ["Threshold", String(found.threshold)],
    ...unsealing,
    ["Version", found.version],
    ["Storage Type", String(found.raw.storage_type ?? "n/a")],
    ...cluster,
  ];
}
