import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, OperationalError } from "@millwright/core/errors";
import type { Secrets } from "@millwright/secrets/secrets";
import { serverErrors } from "./errors.ts";

/**
 * For development: the one unseal key and the root token of a secrets server, each in a file of mode 0600 (`unseal-key`,
 * `root-token`) of a folder that is not the data's, so that a copy of the data alone opens nothing.
 */
export interface DevSeal {
  readonly folder: string;
}

/**
 * Initialises a new secrets server and unseals it; unseals a known one with the key of the folder. Resolves to the file with
 * the root token. Rejects with `devSeal` where key and data do not belong together, and changes nothing then.
 */
export async function unsealForDevelopment(secrets: Secrets, { folder }: DevSeal): Promise<string> {
  const keyFile = join(folder, "unseal-key");
  const tokenFile = join(folder, "root-token");
  const { initialized } = await secrets.status();
  if (initialized) {
    const key = await readKey(keyFile);
    try {
      await secrets.unseal(key);
    } catch (error) {
      throw refusal(`The key in ${keyFile} does not unseal the secrets in the data folder.`, error);
    }
    return tokenFile;
  }
  await makeFolder(folder);
  // The keys of data that is gone may still open a copy of it.
  for (const file of [keyFile, tokenFile]) await rename(file, `${file}.previous`).catch(absentOnly);
  const { keysBase64, rootToken } = await secrets.init({ shares: 1, threshold: 1 });
  // Kept before it is used: what is sealed with a key that nobody has is lost.
  await writeSecret(keyFile, keysBase64[0]!);
  await writeSecret(tokenFile, rootToken);
  await secrets.unseal(keysBase64[0]!);
  return tokenFile;
}

function refusal(what: string, cause?: unknown): OperationalError {
  const advice = "Put the right file back, or begin anew with another data folder (-data-dir).";
  return new OperationalError(serverErrors.devSeal, `${what} ${advice}`, { cause });
}

async function readKey(file: string): Promise<string> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    throw refusal(`The secrets in the data folder need the unseal key of ${file}: ${messageOf(error)}.`, error);
  }
}

async function makeFolder(folder: string): Promise<void> {
  let isOpen: boolean;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    isOpen = ((await stat(folder)).mode & othersMayWrite) !== 0;
  } catch (error) {
    throw refusal(`The unseal key cannot be kept in ${folder}: ${messageOf(error)}.`, error);
  }
  if (isOpen)
    throw refusal(
      `The unseal key cannot be kept in ${folder}, where other users may write (chmod go-w), so that theirs could take its place.`,
    );
}

const othersMayWrite = 0o022;

async function writeSecret(file: string, text: string): Promise<void> {
  try {
    await rm(`${file}.new`, { force: true });
    await writeFile(`${file}.new`, `${text}\n`, { mode: 0o600, flush: true });
    await rename(`${file}.new`, file);
  } catch (error) {
    throw refusal(`The unseal key cannot be kept in ${file}: ${messageOf(error)}.`, error);
  }
}

function absentOnly(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
