import { parse as referenceParse } from "@cdktf/hcl2json";
import { parseFile } from "@millwright/hcl/parse";
import { sourceFile } from "@millwright/hcl/source-file";
import { realisticConfig } from "./hcl-config.ts";

const megabytes = 2;
const runs = 7;

/** Reads a configuration of 2 MB with our parser and with the reference's (Go, compiled to WebAssembly), in one process. */
const bytes = new TextEncoder().encode(realisticConfig(megabytes * 1e6));
const text = new TextDecoder().decode(bytes);
const ours = await median(() => {
  const { diagnostics } = parseFile(sourceFile("bench.tf", bytes));
  if (diagnostics.length > 0) throw new Error(diagnostics[0]!.summary);
});
const reference = await median(() => referenceParse("bench.tf", text));
const speed = (milliseconds: number) => (bytes.length / 1e3 / milliseconds).toFixed(1);
console.log(`hcl-parse: ${(bytes.length / 1e6).toFixed(2)} MB, median of ${runs} runs`);
console.log(`  millwright         ${ours.toFixed(1)} ms  ${speed(ours)} MB/s`);
console.log(`  @cdktf/hcl2json    ${reference.toFixed(1)} ms  ${speed(reference)} MB/s`);
console.log(`  ratio              ${(reference / ours).toFixed(1)} times as fast`);

async function median(run: () => unknown): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[Math.floor(runs / 2)]!;
}
