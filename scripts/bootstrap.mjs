// What every script needs before it can run: the packages of the lock file, and the pinned Node.
// Plain JavaScript for Node 20, on purpose: it runs before anything is installed.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Path of the pinned Node, or of this one where it is a Node 24 (platforms without a pinned binary). */
export function pinnedNode() {
  const pinned = join(root, "node_modules", `node-${process.platform}-${process.arch}`, "bin", "node");
  if (existsSync(pinned)) return pinned;
  if (Number(process.versions.node.split(".")[0]) === 24) return process.execPath;
  return undefined;
}

/** The npm that this was started by, else the one on the PATH: a program and its first arguments. */
export function npm() {
  const path = process.env.npm_execpath;
  return path ? [process.execPath, [path]] : ["npm", []];
}

/** Runs `npm ci` unless node_modules already is what package-lock.json says. */
export function install() {
  if (isInstalled() && pinnedNode()) return;
  console.error("Installing the packages of package-lock.json (npm ci) …");
  const [command, args] = npm();
  const result = spawnSync(
    command,
    [...args, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
    {
      cwd: root,
      stdio: ["ignore", 2, 2],
      env: { ...process.env, NODE_ENV: "development" },
    },
  );
  if (result.status !== 0) {
    console.error("npm ci failed; see above. Nothing was started.");
    process.exit(1);
  }
}

// npm writes down what it has installed when it has done so; packages for other platforms are not among that.
function isInstalled() {
  const written = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(written)) return false;
  const [wanted, found] = [join(root, "package-lock.json"), written].map(
    (path) => JSON.parse(readFileSync(path, "utf8")).packages,
  );
  const isSame = (a, b) => a.version === b.version && a.integrity === b.integrity && a.link === b.link;
  return Object.entries(wanted).every(
    ([path, one]) => path === "" || (found[path] ? isSame(one, found[path]) : one.optional === true),
  );
}

/** Installs, then gives the path of the pinned Node, or says what is missing and ends. */
export function ready() {
  install();
  const node = pinnedNode();
  if (node) return node;
  console.error(
    `No Node 24 for ${process.platform}-${process.arch}: the lock file pins one for linux-x64 and linux-arm64. ` +
      "Install Node 24, put it on the PATH, and run this again.",
  );
  process.exit(1);
}

/** Runs a command in the repository with inherited terminal; gives its exit code (128+n after signal n). */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: "inherit", ...options });
  if (result.error) {
    console.error(`${command}: ${result.error.message}`);
    return 127;
  }
  return result.status ?? 1;
}

/** As {@link run}, for what ends in an order of its own: signals are its to answer, and this waits until it has ended. */
export function runToItsEnd(command, args, options = {}) {
  const child = spawn(command, args, { cwd: root, stdio: "inherit", ...options });
  // A terminal's ^C reaches the command by itself; one that is told twice ends once.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => {
    child.once("error", (error) => {
      console.error(`${command}: ${error.message}`);
      resolve(127);
    });
    child.once("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });
}

/** Runs vitest; beside what it prints, the results go to the JSON file that MILLWRIGHT_RESULTS names, if it names one. */
export function vitest(node, args, options = {}) {
  const results = process.env.MILLWRIGHT_RESULTS;
  const reporters = results ? ["--reporter=default", "--reporter=json", `--outputFile.json=${results}`] : [];
  return run(node, [join(root, "node_modules", "vitest", "vitest.mjs"), "run", ...reporters, ...args], options);
}
