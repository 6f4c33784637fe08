import { OperationalError } from "@millwright/core/errors";
import { rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { sourceErrors } from "./errors.ts";
import { type FetchingProgram, type ProgramPorts, runProgram } from "./program.ts";

const hg: FetchingProgram = { name: "hg", debian: "mercurial" };

/**
 * Clones a Mercurial repository into a folder that is not there yet, at the revision that `rev` (or `ref`) in its address names.
 * Throws `machine` where hg is missing, `notFound` where it fails.
 */
export async function cloneMercurial(address: string, folder: string, ports: ProgramPorts): Promise<void> {
  const url = new URL(address);
  const revision = url.searchParams.get("rev") || url.searchParams.get("ref");
  for (const name of ["rev", "ref"]) url.searchParams.delete(name);
  // hg would take what begins with a dash for an option of its own.
  if (revision?.startsWith("-"))
    throw new OperationalError(sourceErrors.refused, `${revision} is no revision of a Mercurial repository.`);
  const settings = `${folder}.hgrc`;
  const login = loginTakenFrom(url);
  const env = {
    ...ports.env,
    HGPLAIN: "1",
    ...(login === undefined ? {} : { HGRCPATH: settingsWith(settings, ports.env) }),
  };
  const run = (args: readonly string[]) => runProgram(hg, args, { ...ports, env });
  try {
    if (login !== undefined) await writeFile(settings, login, { mode: 0o600 });
    await run(["clone", "--quiet", "--noupdate", "--", url.href, folder]);
    await run(["--cwd", folder, "update", "--quiet", ...(revision ? ["--rev", revision] : [])]);
  } finally {
    await rm(settings, { force: true });
  }
}

// The login of an address goes to hg by a settings file: its arguments are shown to everybody on the machine.
function loginTakenFrom(url: URL): string | undefined {
  const { username, password } = url;
  if (!/^https?:$/.test(url.protocol) || (username === "" && password === "")) return undefined;
  [url.username, url.password] = ["", ""];
  const [user, word] = [username, password].map((text) => decodeURIComponent(text).replaceAll(/[\r\n]/g, ""));
  const own = [`prefix = ${url.host}`, "schemes = http https", `username = ${user}`, `password = ${word}`];
  return ["[auth]", ...own.map((line) => `module.${line}`), ""].join("\n");
}

// Naming one file takes the place of those that are read otherwise.
function settingsWith(path: string, env: ProgramPorts["env"]): string {
  const home = env["HOME"] ?? homedir();
  const usual = ["/etc/mercurial/hgrc", join(home, ".hgrc"), join(home, ".config", "hg", "hgrc")].join(":");
  return `${env["HGRCPATH"] ?? usual}:${path}`;
}
