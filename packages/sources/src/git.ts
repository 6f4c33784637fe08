import { OperationalError } from "@millwright/core/errors";
import { rm, writeFile } from "node:fs/promises";
import { sourceErrors } from "./errors.ts";
import { type FetchingProgram, type ProgramPorts, runProgram } from "./program.ts";

const program: FetchingProgram = { name: "git", debian: "git" };

/**
 * Clones a repository into a folder that is not there yet, at `ref` where that is asked for, with its submodules. The options
 * stand in the address: `ref`, `depth`, `sshkey` (base64), which lies beside the folder meanwhile. Throws `machine` where git is missing, `notFound` where it fails.
 */
export async function cloneRepository(address: string, folder: string, ports: ProgramPorts): Promise<void> {
  const url = new URL(address);
  const { ref, depth, sshkey } = optionsOf(url);
  // git would take what begins with a dash for an option of its own.
  if (ref?.startsWith("-")) throw new OperationalError(sourceErrors.refused, `${ref} is no ref of a git repository.`);
  if (depth !== undefined && !/^\d+$/.test(depth))
    throw new OperationalError(sourceErrors.refused, `depth=${depth} is no number of commits.`);
  const key = `${folder}.key`;
  const env = {
    ...ports.env,
    ...loginTakenFrom(url, ports.env),
    ...(sshkey === undefined ? {} : { GIT_SSH_COMMAND: sshCommand(ports.env, key) }),
  };
  const git = (args: readonly string[]) => runProgram(program, args, { ...ports, env });
  const isShallow = depth !== undefined && depth !== "0";
  try {
    if (sshkey !== undefined) await writeFile(key, Buffer.from(sshkey, "base64"), { mode: 0o600 });
    const cut = isShallow ? ["--depth", depth, ...(ref === undefined ? [] : ["--branch", ref])] : [];
    await git(["clone", "--quiet", ...cut, "--", url.href, folder]);
    if (ref !== undefined && !isShallow) await git(["-C", folder, "checkout", "--quiet", ref]);
    const submodules = ["-C", folder, "submodule", "--quiet", "update", "--init", "--recursive"];
    await git(isShallow ? [...submodules, "--depth", depth] : submodules);
  } finally {
    await rm(key, { force: true });
  }
}

function optionsOf(url: URL): Readonly<Record<"ref" | "depth" | "sshkey", string | undefined>> {
  const take = (name: string) => {
    const value = url.searchParams.get(name);
    url.searchParams.delete(name);
    return value === null || value === "" ? undefined : value;
  };
  return { ref: take("ref"), depth: take("depth"), sshkey: take("sshkey") };
}

// The login of an address goes to git by its environment: its arguments are shown to everybody on the machine, and it would
// keep the address in the clone's settings.
function loginTakenFrom(url: URL, env: ProgramPorts["env"]): Readonly<Record<string, string>> {
  const { username, password } = url;
  if (!/^https?:$/.test(url.protocol) || (username === "" && password === "")) return {};
  [url.username, url.password] = ["", ""];
  const before = Number(env["GIT_CONFIG_COUNT"] ?? 0) || 0;
  const helper = `credential.${url.origin}.helper`;
  return {
    MILLWRIGHT_GIT_USERNAME: decodeURIComponent(username),
    MILLWRIGHT_GIT_PASSWORD: decodeURIComponent(password),
    GIT_CONFIG_COUNT: String(before + 2),
    // An empty one takes away those that would keep the login elsewhere.
    [`GIT_CONFIG_KEY_${before}`]: helper,
    [`GIT_CONFIG_VALUE_${before}`]: "",
    [`GIT_CONFIG_KEY_${before + 1}`]: helper,
    [`GIT_CONFIG_VALUE_${before + 1}`]:
      '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$MILLWRIGHT_GIT_USERNAME" "$MILLWRIGHT_GIT_PASSWORD"; }; f',
  };
}

function sshCommand(env: ProgramPorts["env"], key: string): string {
  // git gives it to a shell.
  const quoted = `'${key.replaceAll("'", `'\\''`)}'`;
  return `${env["GIT_SSH_COMMAND"] || "ssh"} -i ${quoted} -o StrictHostKeyChecking=accept-new`;
}
