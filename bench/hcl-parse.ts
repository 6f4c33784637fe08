import { parse as referenceParse } from "@cdktf/hcl2json";
import { parseFile } from "@millwright/hcl/parse";
import { sourceFile } from "@millwright/hcl/source-file";
import { realisticConfig } from "./support/hcl-config.ts";
import { medianTime, printTable, ratioText, timeText } from "./support/measure.ts";

// Reads a configuration of 2 MB with our parser and with the reference's (Go, compiled to WebAssembly), in one process.
const runs = 7;
const bytes = new TextEncoder().encode(realisticConfig(2e6));
const text = new TextDecoder().decode(bytes);
const ours = await medianTime(runs, () => {
  const { diagnostics } = parseFile(sourceFile("bench.tf", bytes));
  if (diagnostics.length > 0) throw new Error(diagnostics[0]!.summary);
});
const peer = await medianTime(runs, () => referenceParse("bench.tf", text));
const row = (name: string, time: number) => [
  name,
  timeText(time),
  `${(bytes.length / 1e3 / time).toFixed(1)} MB/s`,
  ratioText(ours, time),
];
printTable(
  `hcl-parse: ${(bytes.length / 1e6).toFixed(2)} MB, median of ${runs} runs`,
  ["", "time", "speed", "ours is faster by"],
  [row("millwright", ours), row("@cdktf/hcl2json", peer)],
);
