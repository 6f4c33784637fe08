import { systemClock } from "@millwright/core/ports";
import { expect, test } from "vitest";
import type { Connection } from "./connection.ts";
import { Remote } from "./ssh.ts";

test("a private key that is none is refused at once, also where there would be time to try again", async () => {
  const connection: Connection = {
    host: "127.0.0.1",
    port: 1,
    user: "deploy",
    privateKey: "no key",
    agent: false,
    timeout: 300_000,
    scriptPath: "/tmp/script.sh",
  };
  const ports = { clock: systemClock, signal: AbortSignal.timeout(4_000), env: {} };
  await expect(Remote.open(connection, ports)).rejects.toThrow("The private key for 127.0.0.1 cannot be used");
});
