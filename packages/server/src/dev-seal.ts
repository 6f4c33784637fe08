import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { messageOf, OperationalError } from "@millwright/core/errors";
import type { Secrets } from "@millwright/secrets/secrets";
import { serverErrors } from "./errors.ts";

/**
 * For development: the one unseal key and the root token of a secrets server, in a file of mode 0600 that is not in the data
 * folder, so that a copy of the data alone opens nothing. Without a file they are in memory alone.
 */
export interface DevSeal {
  readonly file?: string;
}

interface DevKeys {
  readonly unsealKey: string;
  readonly rootToken: string;
}

/**
 * Initialises a new secrets server and unseals it; unseals a known one with the key of the file. Resolves to the root token.
 * Rejects with `devSeal` where the file and the data do not belong together, and changes nothing then.
 */
export async function unsealForDevelopment(secrets: Secrets, { file }: DevSeal): Promise<string> {
  const known = file === undefined ? undefined : await readKeys(file);
  const { initialized } = await secrets.status();
  if (!initialized) {
    if (known && file !== undefined) await setAside(file);
    const { keysBase64, rootToken } = await secrets.init({ shares: 1, threshold: 1 });
    const keys = { unsealKey: keysBase64[0]!, rootToken };
    // Kept before it is used: what is sealed with a key that nobody has is lost.
    if (file !== undefined) await writeKeys(file, keys);
    await secrets.unseal(keys.unsealKey);
    return rootToken;
  }
  if (!known) throw refusal(`The secrets in the data folder are sealed with a key that is not in ${file ?? "memory"}.`);
  try {
    await secrets.unseal(known.unsealKey);
  } catch (error) {
    throw refusal(`The key in ${file} does not unseal the secrets in the data folder (${messageOf(error)}).`, error);
  }
  return known.rootToken;
}

function refusal(what: string, cause?: unknown): OperationalError {
  const advice = "Put the right file back, or begin anew with another data folder (-data-dir).";
  return new OperationalError(serverErrors.devSeal, `${what} ${advice}`, { cause });
}

async function readKeys(file: string): Promise<DevKeys | undefined> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw refusal(`The file with the unseal key, ${file}, cannot be read: ${error.message}.`, error);
  });
  if (text === undefined) return undefined;
  const { unseal_key: unsealKey, root_token: rootToken } = parsed(text, file);
  if (typeof unsealKey === "string" && typeof rootToken === "string") return { unsealKey, rootToken };
  throw refusal(`The file ${file} holds no unseal key.`);
}

function parsed(text: string, file: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    // Without the cause, whose message may quote the key.
    throw refusal(`The file ${file} is not JSON.`);
  }
}

// The keys of data that is gone may still open a copy of it.
async function setAside(file: string): Promise<void> {
  await rename(file, `${file}.previous`);
}

async function writeKeys(file: string, { unsealKey, rootToken }: DevKeys): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const text = `${JSON.stringify({ unseal_key: unsealKey, root_token: rootToken }, null, 2)}\n`;
    await writeFile(`${file}.new`, text, { mode: 0o600, flush: true });
    await chmod(`${file}.new`, 0o600);
    await rename(`${file}.new`, file);
  } catch (error) {
    throw refusal(`The unseal key cannot be kept in ${file}: ${messageOf(error)}.`, error);
  }
}
