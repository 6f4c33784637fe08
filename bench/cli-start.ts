import { spawn } from "node:child_process";
import { medianTime, printTable, timeText } from "./support/measure.ts";
import { inFolder, millwright, onPath, runProgram } from "./support/programs.ts";

// How long a command takes from start to end, as a whole process; bare Node is the floor.
const runs = 15;
const terraform = onPath("terraform");
const port = 18_000 + (process.pid % 1000);
const server = spawn(millwright, ["server", "-dev", `-http-port=${port}`], { stdio: "ignore" });
const env = { CONSUL_HTTP_ADDR: `127.0.0.1:${port}` };

async function ready(): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      if ((await fetch(`http://127.0.0.1:${port}/v1/status/leader`)).ok) return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error("the server does not answer");
}

try {
  await ready();
  await inFolder({}, async (folder) => {
    runProgram(millwright, ["kv", "put", "bench", "value"], folder, env);
    const time = (program: string, ...args: string[]) => medianTime(runs, () => runProgram(program, args, folder, env));
    const rows: string[][] = [
      ["node -e 0 (the floor)", timeText(await time(process.execPath, "-e", "0")), "-"],
      ["millwright --version", timeText(await time(millwright, "--version")), "under 50 ms"],
      ["millwright kv get bench", timeText(await time(millwright, "kv", "get", "bench")), "under 150 ms"],
    ];
    if (terraform) rows.push(["terraform version", timeText(await time(terraform, "version")), "-"]);
    printTable(`cli-start: median of ${runs} runs`, ["", "time", "promise"], rows);
    if (!terraform) console.log("terraform is not on the PATH, so it was not measured.");
  });
} finally {
  server.kill("SIGTERM");
}
