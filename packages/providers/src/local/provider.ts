import { messageOf } from "@millwright/core/errors";
import { defineProvider } from "@millwright/provider/define";
import { bool, string } from "@millwright/provider/fields";
import { ArgumentError, defineFunction, parameter } from "@millwright/provider/function";
import { statSync } from "node:fs";
import { localFile, localSensitiveFile } from "./file.ts";
import { localFileData } from "./file-data.ts";

/** `hashicorp/local`: files on the machine that runs the plan. */
export const localProvider = defineProvider({
  name: "local",
  version: "2.5.3",
  configure: () => undefined,
  resources: { local_file: localFile, local_sensitive_file: localSensitiveFile },
  dataSources: {
    local_file: localFileData({ sensitive: false }),
    local_sensitive_file: localFileData({ sensitive: true }),
  },
  functions: {
    direxists: defineFunction({
      summary: "Whether there is a folder at a path.",
      description:
        "True when the path leads to a folder, false when nothing is there; anything else that is there is an error.",
      parameters: [parameter("path", string, "Absolute, or relative to the current folder; `~` stands for itself.")],
      returns: bool,
      run: isFolder,
    }),
  },
});

function isFolder(path: string): boolean {
  let found: ReturnType<typeof statSync>;
  try {
    found = statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw new ArgumentError(0, `Cannot look for a folder: ${messageOf(error)}`);
  }
  if (found && !found.isDirectory())
    throw new ArgumentError(0, `${JSON.stringify(path)} was found, but is not a folder`);
  return found !== undefined;
}
