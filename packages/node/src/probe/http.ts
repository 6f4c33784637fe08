import { type IncomingMessage, type OutgoingHttpHeaders, request as httpRequest, STATUS_CODES } from "node:http";
import { request as httpsRequest } from "node:https";
import type { CheckStatus, HttpProbe } from "../check-definition.ts";
import { connectionFault, type ProbeContext, type ProbeResult } from "./result.ts";

/** Asks a URL: 2xx is passing, 429 a warning, everything else critical. */
export async function probeHttp(probe: HttpProbe, context: ProbeContext): Promise<ProbeResult> {
  const patience = AbortSignal.timeout(probe.timeout);
  try {
    const { message, url } = await follow(probe, AbortSignal.any([patience, context.signal]));
    const body = await readStart(message, context.outputMaxSize);
    const status = message.statusCode ?? 0;
    const line = `HTTP ${probe.method} ${url}: ${status} ${STATUS_CODES[status] ?? ""} Output: ${body}`;
    return { status: statusOf(status), output: line };
  } catch (error) {
    const { host } = new URL(probe.url);
    const why = patience.aborted
      ? `no answer within ${probe.timeout / 1000}s (Client.Timeout exceeded while awaiting headers)`
      : connectionFault(error as NodeJS.ErrnoException, host);
    return { status: "critical", output: `${capital(probe.method)} "${probe.url}": ${why}` };
  }
}

const mostRedirects = 10;

async function follow(probe: HttpProbe, signal: AbortSignal): Promise<{ message: IncomingMessage; url: string }> {
  let { url, method } = probe;
  let { body } = probe;
  for (let hop = 0; ; hop++) {
    const message = await ask(probe, { url, method, body }, signal);
    const status = message.statusCode ?? 0;
    const { location } = message.headers;
    if (!probe.followRedirects || location === undefined || ![301, 302, 303, 307, 308].includes(status))
      return { message, url };
    message.resume();
    if (hop === mostRedirects) throw new Error(`stopped after ${mostRedirects} redirects`);
    url = new URL(location, url).href;
    if (status < 307 && method !== "HEAD") [method, body] = ["GET", ""];
  }
}

function ask(
  probe: HttpProbe,
  { url, method, body }: { readonly url: string; readonly method: string; readonly body: string },
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const common = { method, headers: headersOf(probe, body), agent: false as const, signal };
    const sent = url.startsWith("https:")
      ? httpsRequest(url, {
          ...common,
          rejectUnauthorized: probe.tlsVerify,
          ...(probe.tlsServerName === "" ? {} : { servername: probe.tlsServerName }),
        })
      : httpRequest(url, common);
    sent.on("response", resolve).on("error", reject);
    sent.end(body);
  });
}

function headersOf(probe: HttpProbe, body: string): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {
    "user-agent": "Consul Health Check",
    accept: "text/plain, text/*, */*",
    connection: "close",
  };
  for (const [name, values] of Object.entries(probe.headers)) headers[name.toLowerCase()] = [...values];
  if (Array.isArray(headers.host)) headers.host = headers.host[0] ?? "";
  if (body !== "") headers["content-length"] = String(Buffer.byteLength(body));
  return headers;
}

async function readStart(message: IncomingMessage, most: number): Promise<string> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of message as AsyncIterable<Uint8Array>) {
    pieces.push(piece.subarray(0, most - length));
    length += pieces.at(-1)!.byteLength;
    if (length >= most) break;
  }
  return Buffer.concat(pieces).toString("utf8");
}

function statusOf(status: number): CheckStatus {
  if (status >= 200 && status < 300) return "passing";
  return status === 429 ? "warning" : "critical";
}

function capital(method: string): string {
  return method.charAt(0) + method.slice(1).toLowerCase();
}
