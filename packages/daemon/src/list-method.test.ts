import { connect, type Socket } from "node:net";
import { systemClock, silentLog } from "@millwright/core/ports";
import { afterEach, expect, test } from "vitest";
import { listen, type Listener } from "./listener.ts";

const open: Listener[] = [];
afterEach(async () => {
  for (const listener of open.splice(0)) await listener.close(0);
});

async function connected(): Promise<{ socket: Socket; answers(): string; closed: Promise<void> }> {
  const listener = await listen({
    address: { kind: "tcp", host: "127.0.0.1", port: 0 },
    service: async ({ method, path, header }) => {
      if (path === "/slow") await new Promise((resolve) => setTimeout(resolve, 50));
      return {
        status: 200,
        headers: { "content-type": "text/plain" },
        body: `<${method} ${path} ${header("x-vault-token") ?? ""}>`,
      };
    },
    clock: systemClock,
    log: silentLog,
    requestId: () => "1",
  });
  open.push(listener);
  const port = listener.address.kind === "tcp" ? listener.address.port : 0;
  const socket = connect(port, "127.0.0.1");
  let text = "";
  socket.on("data", (chunk) => {
    text += String(chunk);
  });
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  return { socket, answers: () => text, closed };
}

const request = (line: string) => `${line} HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\nX-Vault-Token: t\r\n\r\n`;

test("a LIST is answered, and the connection ends with it", async () => {
  const { socket, answers, closed } = await connected();
  socket.write(request("LIST /v1/secret/"));
  await closed;
  expect(answers()).toContain("<LIST /v1/secret/ t>");
  expect(answers()).toMatch(/connection: close/i);
});

test("a LIST behind another request on the same connection is answered too", async () => {
  const { socket, answers, closed } = await connected();
  socket.write(request("GET /a"));
  await expect.poll(answers).toContain("<GET /a t>");
  socket.write(request("LIST /b"));
  await closed;
  expect(answers()).toContain("<LIST /b t>");
});

test("a LIST whose header fields come later is answered", async () => {
  const { socket, answers, closed } = await connected();
  const text = request("LIST /c");
  socket.write(text.slice(0, 30));
  await new Promise((resolve) => setTimeout(resolve, 30));
  socket.write(text.slice(30));
  await closed;
  expect(answers()).toContain("<LIST /c t>");
});

for (const field of ["X-Millwright-List: 1", "X-Connection: keep-alive"]) {
  test(`a GET is none, whatever it says: ${field}`, async () => {
    const { socket, answers } = await connected();
    socket.write(request("GET /e").replace("Host", `${field}\r\nHost`));
    await expect.poll(answers).toContain("<GET /e t>");
    socket.destroy();
  });
}

test("a LIST that comes before another's answer is not answered in its place", async () => {
  const { socket, answers, closed } = await connected();
  socket.write(request("GET /slow"));
  await new Promise((resolve) => setTimeout(resolve, 10));
  socket.write(request("LIST /b"));
  await closed;
  expect(answers()).toBe("");
});

test("what comes behind a LIST on its connection ends it, and is not answered", async () => {
  const { socket, answers, closed } = await connected();
  socket.write(`${request("LIST /a")}${request("GET /b")}`);
  await closed;
  expect(answers()).not.toMatch(/\/b|400/);
});

test("any other unknown method is refused", async () => {
  const { socket, answers, closed } = await connected();
  socket.write(request("LIMP /d"));
  await closed;
  expect(answers()).toMatch(/^HTTP\/1.1 400 Bad Request/);
});
