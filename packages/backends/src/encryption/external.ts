import { messageOf, OperationalError } from "@millwright/core/errors";
import { backendErrors } from "@millwright/engine/backend/errors";
import type { BackendPorts } from "../backend-type.ts";
import { runCommand } from "../run-command.ts";
import type { KeyProvider } from "./key-provider.ts";
import type { PartSettings } from "./part-settings.ts";

/** `key_provider "external"`: a command that gives keys, in OpenTofu's protocol of that name, version 1. */
export const externalProvider: KeyProvider = {
  arguments: ["command"],
  fresh: async (settings, ports) => {
    const { keys, meta } = await answerOf(settings, null, ports);
    const key = keys?.encryption_key;
    if (!key) throw failed(settings.texts("command"), "it gave no encryption_key");
    return { key: Buffer.from(key, "base64"), metadata: { external_data: meta?.external_data ?? null } };
  },
  again: async (settings, metadata, ports) => {
    const { external_data: data = null } = (metadata ?? {}) as { readonly external_data?: unknown };
    const { keys } = await answerOf(settings, { external_data: data }, ports);
    return keys?.decryption_key ? Buffer.from(keys.decryption_key, "base64") : undefined;
  },
};

interface ExternalAnswer {
  readonly keys?: { readonly encryption_key?: string; readonly decryption_key?: string };
  readonly meta?: { readonly external_data?: unknown };
}

async function answerOf(settings: PartSettings, input: unknown, ports: BackendPorts): Promise<ExternalAnswer> {
  const command = settings.texts("command");
  if (command.length === 0) throw settings.wrong("command is missing: a list of a program and its arguments");
  return (await converse(command, "OpenTofu-External-Key-Provider", input, ports)) as ExternalAnswer;
}

/**
 * Runs a command that says a line with its `magic`, reads a line of JSON and writes its answer as JSON. What it writes to
 * standard error is told when it fails.
 */
export async function converse(
  command: readonly string[],
  magic: string,
  input: unknown,
  ports: BackendPorts,
): Promise<unknown> {
  let text: string;
  try {
    text = await runCommand(command, `${JSON.stringify(input)}\n`, ports);
  } catch (error) {
    throw failed(command, messageOf(error));
  }
  const end = text.indexOf("\n");
  try {
    const header = JSON.parse(text.slice(0, end)) as { readonly magic?: unknown; readonly version?: unknown };
    if (header.magic !== magic || header.version !== 1) throw failed(command, `it does not speak ${magic} 1`);
    return JSON.parse(text.slice(end + 1));
  } catch (error) {
    if (error instanceof OperationalError) throw error;
    throw failed(command, "its answer is no JSON");
  }
}

function failed([program = ""]: readonly string[], why: string): OperationalError {
  const text = `The command ${program}, which is to give the key, failed: ${why}.`;
  return new OperationalError(backendErrors.keyUnavailable, text);
}
