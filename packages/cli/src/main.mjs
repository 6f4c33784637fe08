// The entry of the command line: plain JavaScript, so that --version needs neither the type stripper nor any module.
const version = "0.1.0";
const args = process.argv.slice(2);
if (args.length === 1 && (args[0] === "--version" || args[0] === "-version" || args[0] === "version")) {
  process.stdout.write(`Millwright v${version}\n`);
} else {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < 24) {
    process.stderr.write(
      `Millwright needs Node 24, and this is ${process.version}. Install its packages with npm, or put a Node 24 on the PATH.\n`,
    );
    process.exit(1);
  }
  const { enableCompileCache } = await import("node:module");
  enableCompileCache();
  const { findOwnModules } = await import("./own-modules.mjs");
  findOwnModules(version);
  const { main } = await import("./run.ts");
  process.exitCode = await main(args, version);
}
