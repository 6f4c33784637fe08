import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, OperationalError } from "@millwright/core/errors";
import { WireFields } from "@millwright/text/wire-fields";
import { nodeErrors } from "./errors.ts";

/** What a server has given this node at its join. */
export interface JoinedIdentity {
  /** Secret. */
  readonly token: string;
  readonly datacenter: string;
  /** Whether a server has said that everybody may do everything, without a token. */
  readonly openAccess: boolean;
}

/** Keeps the identity; `get` gives the newest. */
export interface IdentityKeeper {
  get(): JoinedIdentity | undefined;
  set(identity: JoinedIdentity): Promise<void>;
}

/**
 * Reads the identity that `node-token.json` in the data folder keeps, for this user alone. One that was given to another
 * name or id is not taken: the node joins again. Without a folder it is kept in memory.
 */
export async function openIdentity(
  dataFolder: string | undefined,
  node: { readonly name: string; readonly id: string },
): Promise<IdentityKeeper> {
  let current: JoinedIdentity | undefined;
  if (dataFolder === undefined) return { get: () => current, set: async (identity) => void (current = identity) };
  const folder = join(dataFolder, "node");
  const path = join(folder, "node-token.json");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  current = parse(await readFile(path, "utf8").catch(() => ""), node);
  return {
    get: () => current,
    set: async (identity) => {
      current = identity;
      const { token, datacenter, openAccess } = identity;
      const content = {
        Node: node.name,
        ID: node.id,
        NodeToken: token,
        Datacenter: datacenter,
        OpenAccess: openAccess,
      };
      try {
        await writeFile(`${path}.new`, `${JSON.stringify(content)}\n`, { mode: 0o600 });
        await rename(`${path}.new`, path);
      } catch (error) {
        const text = `Cannot write ${path}: ${messageOf(error)}. The node joins again at its next start. Check the disk's free space and the folder's permissions.`;
        throw new OperationalError(nodeErrors.badConfiguration, text, { cause: error });
      }
    },
  };
}

// A file that cannot be read costs another join, and nothing else.
function parse(text: string, node: { readonly name: string; readonly id: string }): JoinedIdentity | undefined {
  try {
    const fields = new WireFields(JSON.parse(text), "the file");
    if (fields.text("Node") !== node.name || fields.text("ID") !== node.id) return undefined;
    const openAccess = fields.flag("OpenAccess");
    return { token: fields.text("NodeToken"), datacenter: fields.text("Datacenter"), openAccess };
  } catch {
    return undefined;
  }
}
