// `npm run pack`: compiles all packages once and makes the tarballs that npm would publish; prints their paths.
// A packed package has the same folders as its source: `src/x.ts` becomes `src/x.js` and `src/x.d.ts`. Tests, and entry
// points that lie outside `src`, stay behind. What was packed from the same sources before is not packed again.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { npm, ready, root, run } from "./bootstrap.mjs";

const node = ready();
const cache = join(root, ".cache");
const build = join(cache, "build");
const stage = join(cache, "stage");
const names = readdirSync(join(root, "packages")).sort();

const packed = join(cache, "packed", sourcesHash());
if (!existsSync(packed)) {
  compile();
  rmSync(stage, { recursive: true, force: true });
  for (const name of names) stagePackage(name);
  makeTarballs();
}
for (const file of readdirSync(packed).sort()) console.log(join(packed, file));

/** Everything that a tarball is made from, in one hash. */
function sourcesHash() {
  const hash = createHash("sha256");
  const inputs = ["scripts/pack.mjs", "tsconfig.json", "tsconfig.build.json", "package-lock.json", "LICENSE"];
  for (const name of names) {
    inputs.push(`packages/${name}/package.json`);
    for (const folder of ["src", "bin"]) inputs.push(...filesBelow(`packages/${name}/${folder}`));
  }
  for (const path of inputs.filter((path) => !isTest(path)))
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(root, path)))
      .update("\0");
  return hash.digest("hex").slice(0, 16);
}

function compile() {
  rmSync(build, { recursive: true, force: true });
  const code = run(node, [join(root, "node_modules", "typescript", "bin", "tsc"), "-p", "tsconfig.build.json"], {
    stdio: ["ignore", 2, 2],
  });
  if (code !== 0) fail("The packages do not compile; see above.");
}

function stagePackage(name) {
  const [from, to] = [join(root, "packages", name), join(stage, name)];
  const manifest = publicManifest(JSON.parse(readFileSync(join(from, "package.json"), "utf8")));
  const entries = Object.values(manifest.exports).map((entry) => entry.default.slice(2));
  const isPublic = (path) => !isTest(path) && (!isTestHelp(path) || entries.some((entry) => isTestHelp(entry)));
  for (const path of filesBelow(`.cache/build/${name}/src`)) {
    const inside = path.slice(`.cache/build/${name}/`.length);
    if (isPublic(inside)) cpSync(join(root, path), join(to, inside), { recursive: true });
  }
  // What is plain JavaScript already names a TypeScript module of its package by its ending.
  for (const path of filesBelow(`packages/${name}/src`).filter((path) => path.endsWith(".mjs"))) {
    const text = readFileSync(join(root, path), "utf8").replace(/(["']\.\.?\/[^"']+)\.ts(["'])/g, "$1.js$2");
    writeFileSync(join(stage, path.slice("packages/".length)), text);
  }
  for (const path of filesBelow(`packages/${name}/src`).filter((path) => path.endsWith(".sh")))
    cpSync(join(root, path), join(stage, path.slice("packages/".length)));
  if (existsSync(join(from, "bin"))) cpSync(join(from, "bin"), join(to, "bin"), { recursive: true });
  cpSync(join(root, "LICENSE"), join(to, "LICENSE"));
  writeFileSync(join(to, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** A package.json as it is published: compiled entry points with their types, and nothing that only this repository needs. */
function publicManifest({ layer: _, devDependencies: __, exports, ...rest }) {
  const entries = Object.entries(exports).filter(([, target]) => target.startsWith("./src/"));
  const compiled = entries.map(([name, target]) => {
    const stem = target.slice(0, -".ts".length);
    return [name, { types: `${stem}.d.ts`, default: `${stem}.js` }];
  });
  return { ...rest, exports: Object.fromEntries(compiled) };
}

function makeTarballs() {
  const unfinished = `${packed}.unfinished`;
  rmSync(join(cache, "packed"), { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  const [command, args] = npm();
  const folders = names.map((name) => `./${name}`);
  const result = spawnSync(command, [...args, "pack", "--silent", "--pack-destination", unfinished, ...folders], {
    cwd: stage,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (result.status !== 0) fail("npm pack failed; see above.");
  renameSync(unfinished, packed);
}

/** Paths of the files below a folder of the repository, from its root; none where there is no such folder. */
function filesBelow(folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
}

function isTest(path) {
  return /\.test\.|\.smoke\./.test(path);
}

function isTestHelp(path) {
  return path.includes("/testing/");
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
