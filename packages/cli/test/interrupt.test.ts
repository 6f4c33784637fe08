import { existsSync, readdirSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type RunningServer, startServer } from "@millwright/server/server";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TestFolder } from "./folder.ts";
import { runProgram } from "./program.ts";

/* What an interrupt does to an apply that is under way, with the real program and a server that takes its time. */

let server: RunningServer;
let slow: Server;
let folder: TestFolder;

beforeEach(async () => {
  server = await startServer({ http: [{ kind: "tcp", host: "127.0.0.1", port: 0 }] });
  const listening = server.http[0]!;
  const target = listening.kind === "tcp" ? listening.port : 0;
  slow = slowly(target);
  await new Promise<void>((resolve) => slow.listen(0, "127.0.0.1", resolve));
  const { port } = slow.address() as AddressInfo;
  folder = new TestFolder({
    "main.tf": `
provider "consul" {
  address = "127.0.0.1:${port}"
}
resource "consul_key_prefix" "first" {
  path_prefix = "first/"
  subkeys     = { a = "1" }
}
resource "terraform_data" "second" {
  input = consul_key_prefix.first.id
}
`,
  });
});
afterEach(async () => {
  folder.remove();
  slow.closeAllConnections();
  await new Promise((resolve) => slow.close(resolve));
  await server.close();
});

/** Hands every request on to the server at `port`; writes only after a second. */
function slowly(port: number): Server {
  return createServer((incoming, answer) => {
    const hand = () => {
      const { method, url: path, headers } = incoming;
      const onward = request({ host: "127.0.0.1", port, method, path, headers }, (reply) => {
        answer.writeHead(reply.statusCode ?? 500, reply.headers);
        reply.pipe(answer);
      });
      onward.on("error", () => answer.destroy());
      incoming.pipe(onward);
    };
    if (incoming.method === "PUT") setTimeout(hand, 1000);
    else hand();
  });
}

function interruptAtCreation(times: number, ...flags: string[]) {
  let sent = 0;
  return runProgram(["apply", "-auto-approve", ...flags], {
    cwd: folder.path,
    onOutput: (child, text) => {
      if (sent > 0 || !text.includes("consul_key_prefix.first: Creating")) return;
      sent++;
      child.kill("SIGINT");
      if (times > 1) setTimeout(() => child.kill("SIGINT"), 200);
    },
  });
}

/** A resource that is made at once, and read until somebody wants to leave. */
const endless = `
import { defineProvider, defineResource, required, string } from "millwright/provider";
const thing = defineResource({
  schema: { name: required(string) },
  create: ({ plan }) => plan,
  read: ({ signal }) => new Promise((_, reject) => {
    const late = setTimeout(reject, 60_000, new Error("nobody stopped this"));
    signal.addEventListener("abort", () => (clearTimeout(late), reject(signal.reason)));
  }),
  update: ({ plan }) => plan,
  delete: () => undefined,
  interrupted: "nothing-outside",
});
export const endless = defineProvider({
  name: "endless",
  version: "1.0.0",
  configure: () => undefined,
  resources: { endless_thing: thing },
});
`;

test.each([["plan"], ["apply"], ["drift"]])(
  "one interrupt of what %s reads ends it within a moment",
  async (command) => {
    const other = new TestFolder({
      "endless.provider.ts": endless,
      "main.tf": 'resource "endless_thing" "a" {\n  name = "a"\n}\n',
    });
    try {
      await other.must("apply", "-auto-approve");
      let began = 0;
      const { code, err } = await runProgram([command], {
        cwd: other.path,
        onOutput: (child, text) => {
          if (began > 0 || !text.includes("endless_thing.a: Refreshing")) return;
          began = performance.now();
          child.kill("SIGINT");
        },
      });
      expect({ code, soon: performance.now() - began < 10_000 }).toEqual({ code: 1, soon: true });
      expect(err).toContain("Interrupted: nothing is changed");
      expect(err).toContain("Error: Interrupted");
    } finally {
      other.remove();
    }
  },
);

test("an interrupt of a download is no bug, and leaves nothing half done", async () => {
  const stuck = createServer(() => undefined);
  await new Promise<void>((resolve) => stuck.listen(0, "127.0.0.1", resolve));
  const { port } = stuck.address() as AddressInfo;
  const other = new TestFolder({
    "main.tf": `module "m" {\n  source = "http://127.0.0.1:${port}/m.zip"\n}\n`,
  });
  try {
    const { code, err } = await runProgram(["init"], {
      cwd: other.path,
      onOutput: (child, text) => {
        if (text.includes("Downloading")) child.kill("SIGINT");
      },
    });
    expect(code).toBe(1);
    expect(err).toContain("Interrupted.");
    expect(err).not.toContain("bug");
    expect(existsSync(join(other.path, ".terraform/modules/m"))).toBe(false);
  } finally {
    other.remove();
    stuck.closeAllConnections();
    stuck.close();
  }
});

const leftBeside = () => readdirSync(folder.path).filter((name) => name.includes("journal"));

test("one interrupt lets what runs finish, begins nothing more and keeps the state true", async () => {
  const { code, out, err } = await interruptAtCreation(1);
  expect(code).toBe(1);
  expect(err).toContain("Interrupted: what is under way is finished");
  expect(out).toContain("consul_key_prefix.first: Creation complete");
  expect(out).not.toContain("terraform_data.second: Creating");
  expect((await folder.must("state", "list")).out).toBe("consul_key_prefix.first\n");
  expect(leftBeside()).toEqual([]);
  expect((await folder.must("plan")).out).toContain("Plan: 1 to add, 0 to change, 0 to destroy.");
});

test("with -json an interrupt is told as a line of its own", async () => {
  const { code, out, err } = await interruptAtCreation(1, "-json");
  expect(code).toBe(1);
  const lines = out
    .trim()
    .split("\n")
    .map((line): { type: string; "@message": string } => JSON.parse(line));
  const said = lines.filter(({ type }) => type === "log").map((line) => line["@message"]);
  expect(said).toEqual([expect.stringContaining("Interrupted: what is under way is finished")]);
  expect(err).toBe("");
});

test("a second interrupt ends it at once, and the journal says what was under way", async () => {
  const began = performance.now();
  const { code } = await interruptAtCreation(2);
  expect(code).toBe(130);
  expect(performance.now() - began).toBeLessThan(5000);
  expect(existsSync(join(folder.path, "terraform.tfstate"))).toBe(false);
  expect(leftBeside().length).toBeGreaterThan(0);
  const next = await folder.run(["plan"]);
  expect(next.out + next.err).toContain("consul_key_prefix.first");
});
