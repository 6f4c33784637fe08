import { systemChance, systemClock } from "@millwright/core/ports";
import { testProvider } from "@millwright/provider/testing";
import { servePlugin } from "../src/server/serve.ts";

// The provider of tests as a program of its own; who tests its driver starts it.
const code = await servePlugin(async () => ({ value: testProvider(), diagnostics: [] }), {
  env: process.env,
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  clock: systemClock,
  chance: systemChance,
  end: new AbortController().signal,
});
process.exit(code);
