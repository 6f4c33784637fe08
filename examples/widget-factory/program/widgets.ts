import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { parseArgs } from "node:util";
import { Orders, readLogin } from "./orders.ts";
import { page } from "./page.ts";
import { readRelease } from "./release.ts";

/**
 * The widget factory's program: takes orders for widgets, keeps them in PostgreSQL, and tells when each will be ready. One program,
 * two modes: `api` answers in JSON, `web` shows a page that people fill in. Where it listens and who it is, its environment says.
 */
const { values } = parseArgs({
  options: {
    mode: { type: "string", default: "api" },
    /** The file with its login to the database; read again at SIGHUP. */
    login: { type: "string", default: "secrets/database.json" },
    /** The file with its settings. */
    settings: { type: "string", default: "local/settings.json" },
  },
});

const { env } = process;
const { release, broken = false } = readRelease();
const identity = { instance: env.NOMAD_ALLOC_INDEX ?? "0", release };
const host = env.HOST ?? "127.0.0.1";
const port = Number(env.PORT ?? "8080");
const orders = new Orders({ login: () => readLogin(values.login), settingsFile: values.settings });

const largestBody = 10_000;

const routes: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => Promise<void>>> = {
  "GET /health.txt": async (_request, response) => {
    if (broken) return send(response, 500, "text/plain", "broken\n");
    await orders.ping();
    send(response, 200, "text/plain", "ok\n");
  },
  "GET /orders": async (_request, response) => sendJson(response, 200, { ...identity, ...(await orders.summary()) }),
  "POST /orders": async (request, response) => {
    const order = parseOrder(await bodyOf(request));
    if (!order)
      return sendJson(response, 400, { error: 'Send {"widget": "cog", "count": 3}: a name and how many, 1 to 1000.' });
    sendJson(response, 201, { ...identity, ...(await orders.place(order.widget, order.count)) });
  },
};

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? "/", "http://program");
  const route = values.mode === "web" && pathname === "/" ? showPage : routes[`${request.method} ${pathname}`];
  const answered = route
    ? route(request, response)
    : Promise.resolve(sendJson(response, 404, { error: "There is no such page." }));
  answered.catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    if (!response.headersSent) sendJson(response, 503, { error: "The factory cannot reach its books. Try again." });
  });
});
server.listen(port, host, () => console.log(`widgets ${release} (${values.mode}) answers on ${host}:${port}`));

async function showPage(_request: IncomingMessage, response: ServerResponse): Promise<void> {
  send(response, 200, "text/html; charset=utf-8", page({ ...identity, ...(await orders.summary()) }));
}

function parseOrder(text: string): { readonly widget: string; readonly count: number } | undefined {
  try {
    const { widget, count } = JSON.parse(text) as { readonly widget?: unknown; readonly count?: unknown };
    if (typeof widget !== "string" || typeof count !== "number") return undefined;
    const isGood = /^[\p{L}\p{N} -]{1,40}$/u.test(widget) && Number.isInteger(count) && count >= 1 && count <= 1_000;
    return isGood ? { widget, count } : undefined;
  } catch {
    return undefined;
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const piece of request.setEncoding("utf8")) {
    text += piece as string;
    if (text.length > largestBody) break;
  }
  return text;
}

function sendJson(response: ServerResponse, status: number, value: object): void {
  send(response, status, "application/json", `${JSON.stringify(value)}\n`);
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  // Each answer says whether more may come on this connection: one that is told to end takes no more.
  const connection = isEnding ? { connection: "close" } : {};
  response.writeHead(status, { "content-type": type, ...connection }).end(body);
}

let isEnding = false;

// What is under way is answered; nothing new is taken.
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => {
    isEnding = true;
    console.log(`widgets ends (${signal})`);
    server.close(() => void orders.close().finally(() => process.exit(0)));
    server.closeIdleConnections();
  });
process.on("SIGHUP", () => orders.reconnect());
