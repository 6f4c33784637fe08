import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { TemporaryFolder } from "../test/temporary-folder.ts";
import { unfinishedFor } from "./unfinished.ts";

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** Another process that makes such a folder and stays. */
async function other(path: string) {
  const script = `const { unfinishedFor } = await import(${JSON.stringify(new URL("./unfinished.ts", import.meta.url).href)});
console.log(await unfinishedFor(${JSON.stringify(path)})); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  ends.push(() => child.kill("SIGKILL"));
  const [said] = (await once(child.stdout, "data")) as [Buffer];
  return { child, made: said.toString().trim() };
}

test("what killed runs have left is taken away; what others are at stays, and what is somebody else's", async () => {
  const folder = new TemporaryFolder();
  ends.push(() => folder.remove());
  const path = folder.at("1.0.0/linux_amd64");
  const [killed, alive] = [await other(path), await other(path)];
  writeFileSync(join(killed.made, "half"), "half");
  killed.child.kill("SIGKILL");
  await once(killed.child, "exit");
  const elsewhere = (name: string, days: number) => {
    const at = join(dirname(path), name);
    mkdirSync(at);
    utimesSync(at, Date.now() / 1000, Date.now() / 1000 - days * 86_400);
    return name;
  };
  elsewhere(".linux_amd64.1.2.old-machine.abcdef", 2);
  const kept = [
    elsewhere(".linux_amd64.1.2.0abc.abcdef", 0),
    elsewhere(".linux_amd64", 2),
    elsewhere(".linux_amd64_2.1.2.0abc.abcdef", 2),
    elsewhere("linux_amd64", 2),
  ];
  elsewhere(".linux_amd64.1.2.0abd.abcdef", 2);
  const mine = await unfinishedFor(path);
  const names = [...kept, alive.made.slice(dirname(path).length + 1), mine.slice(dirname(path).length + 1)];
  expect(readdirSync(dirname(path)).sort()).toEqual([...names, ".linux_amd64.1.2.old-machine.abcdef"].sort());
});
