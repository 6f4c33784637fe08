import { systemChance, systemClock } from "@millwright/core/ports";
import type { Provider } from "@millwright/provider/protocol";
import { testProvider } from "@millwright/provider/testing";
import { servePlugin } from "../src/server/serve.ts";

// A provider's program for tests of the host. FAULT says what goes wrong with it, VERSION which version it speaks.
const fault = process.env.FAULT;
const { VERSION: version } = process.env;

if (fault === "greets") process.stdout.write("Hello! This is no provider.\n");
else if (fault === "ends") {
  process.stderr.write("cannot go on\n");
  process.exitCode = 3;
} else if (fault === "too-old") process.stdout.write("1|4|unix|/tmp/none|grpc|\n");
else if (fault === "stays") {
  // It neither speaks the handshake nor ends.
  process.on("SIGTERM", () => undefined);
  setInterval(() => process.stderr.write("still here\n"), 50);
  process.stdout.write("1|9|unix|/tmp/none|grpc|\n");
} else {
  const provider = testProvider();
  if (fault === "panics") {
    provider.alter.plan = () => {
      process.stderr.write("panic: value of the wrong kind\n\ngoroutine 1 [running]:\nmain.plan()\n");
      process.exit(2);
    };
  }
  const end = new AbortController();
  const start = version === "5" ? () => withoutNested(provider.start()) : provider.start;
  process.exitCode = await servePlugin(async () => ({ value: { start }, diagnostics: [] }), {
    env: { ...process.env, ...(version ? { PLUGIN_PROTOCOL_VERSIONS: version } : {}) },
    stdout: (text) => {
      process.stdout.write(text);
      // Whatever it writes later is nobody's business, but must be taken.
      if (fault === "chatters") setInterval(() => process.stdout.write("x".repeat(64 * 1024)), 1);
    },
    stderr: (text) => void process.stderr.write(text),
    clock: systemClock,
    chance: systemChance,
    end: end.signal,
  });
  process.exit();
}

/** Version 5 has no attributes with attributes inside, as one resource of the test provider has them. */
function withoutNested(provider: Provider): Provider {
  return {
    ...provider,
    async schema() {
      const schema = await provider.schema();
      return { ...schema, resources: new Map([...schema.resources].filter(([type]) => type !== "test_thing")) };
    },
  };
}
