import { appendFileSync, readFileSync } from "node:fs";
import { silentLog, systemChance, systemClock } from "@millwright/core/ports";
import { PluginProcess } from "../host/plugin-process.ts";
import { ownCertificate } from "../own-certificate.ts";
import { handshakeLine, readOffer } from "../server/handshake.ts";
import { startPluginServer } from "../server/plugin-server.ts";
import type { ProviderCalls } from "../server/provider-calls.ts";
import type { ProtocolVersion } from "../wire/schema-messages.ts";
import { readRecording, recordedCalls, replayedCalls } from "./recording.ts";

// A program that a host takes for a provider. With RECORD_PROGRAM it starts that one, passes all calls on, and adds what was said to
// the file RECORDED_LINES, a line of JSON each. Without, it answers from the recording REPLAY_FILE.

const { RECORD_PROGRAM: program, RECORDED_LINES: lines, REPLAY_FILE: replay, ...env } = process.env;

async function served(): Promise<{ version: ProtocolVersion; calls: ProviderCalls; end(): Promise<void> }> {
  if (!program) {
    const recording = readRecording(readFileSync(replay!));
    return { version: recording.version, calls: replayedCalls(recording), end: async () => undefined };
  }
  const start = { name: program, command: [program] as const, env, cwd: process.cwd() };
  const real = await PluginProcess.start(start, { clock: systemClock, log: silentLog });
  const { version } = real.connection;
  const note = (exchange: unknown) => appendFileSync(lines!, `${JSON.stringify({ version, ...Object(exchange) })}\n`);
  const make = real.connection.call.bind(real.connection);
  return { version, calls: recordedCalls(make, note), end: () => real.end() };
}

const offer = readOffer(process.env);
if (offer.kind !== "hosted") throw new Error("this program is started by a host");
const { version, calls, end } = await served();
const over = Promise.withResolvers<void>();
const { clientCertificate, asksForMultiplex: answersMultiplex } = offer;
const own = clientCertificate ? await ownCertificate(systemClock.now(), systemChance) : undefined;
const server = await startPluginServer({
  version,
  calls: Promise.resolve(calls),
  ...(own && clientCertificate ? { trust: { own, clientCertificate } } : {}),
  onShutdown: over.resolve,
  clock: systemClock,
  onBug: (call, error) => process.stderr.write(`${call}: ${String(error)}\n`),
});
const certificate = own ? { certificate: own.certificate.raw } : {};
process.stdout.write(handshakeLine({ version, socket: server.socket, answersMultiplex, ...certificate }));
await over.promise;
await server.close();
await end();
process.exit();
