import { readFileSync, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { messageOf, OperationalError } from "@millwright/core/errors";
import { readConnection } from "./connection.ts";
import { provisionerErrors } from "./errors.ts";
import { isGiven, text } from "./plain.ts";
import type { Provisioner, ProvisionerCall } from "./provisioner.ts";
import { blockOf } from "./schema.ts";
import { Remote } from "./ssh.ts";
import { putFile, putFolder } from "./upload.ts";

/** Copies a file, a folder or a text to another machine. */
export const file: Provisioner = {
  schema: blockOf({ source: "text", content: "text", destination: "text" }, "destination"),
  connects: true,
  validate: (config) => {
    const found: string[] = [];
    const both = isGiven(config, "source") && isGiven(config, "content");
    const neither = !isGiven(config, "source") && !isGiven(config, "content");
    if (both) found.push("Cannot set both 'source' and 'content'");
    if (neither) found.push("Must provide one of 'source' or 'content'");
    if (!isGiven(config, "destination") || text(config, "destination") === "") found.push("Must provide 'destination'");
    return found;
  },
  run: copy,
};

async function copy({ config, connection, folder, env, clock, signal }: ProvisionerCall): Promise<void> {
  const login = readConnection(connection);
  if (typeof login === "string") throw new OperationalError(provisionerErrors.misconfigured, `file: ${login}`);
  const content = text(config, "content");
  const source = text(config, "source") ?? "";
  const destination = text(config, "destination") ?? "";
  const path = resolve(folder, source);
  const isFolder = content === undefined && isFolderHere(path, source);
  const remote = await Remote.open(login, { clock, signal, env });
  try {
    const files = await remote.files();
    if (isFolder) await putFolder(files, source.endsWith("/") ? `${path}/` : path, destination);
    else if (content !== undefined) await putFile(files, destination, Buffer.from(content));
    else await putFile(files, destination, readFileSync(path), basename(path));
  } finally {
    remote.close();
  }
}

function isFolderHere(path: string, source: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw new OperationalError(provisionerErrors.misconfigured, `file: ${source} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
