import { Agent, request } from "node:http";

/** A server that speaks Vault's HTTP API, spoken to over connections that are kept. */
export class VaultLoad {
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 200 });
  #token = "";

  constructor(port: number) {
    this.#port = port;
  }

  close(): void {
    this.#agent.destroy();
  }

  /** Initializes and unseals it, with one key, and goes on as root. */
  async init(): Promise<void> {
    const made = await this.call("PUT", "sys/init", { secret_shares: 1, secret_threshold: 1 });
    const keys = made["keys"];
    await this.call("PUT", "sys/unseal", { key: Array.isArray(keys) ? keys[0] : undefined });
    this.#token = String(made["root_token"]);
    // A peer leads its cluster of one only some time after it was unsealed.
    for (let tries = 0; tries < 200; tries++) {
      const status = await this.call("GET", "sys/health?standbycode=429").then(
        () => "active",
        () => "not yet",
      );
      if (status === "active") return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Goes on as a token. */
  use(token: string): void {
    this.#token = token;
  }

  /** Rejects for every answer from 400 on. */
  call(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const headers = {
        ...(this.#token !== "" && { "x-vault-token": this.#token }),
        ...(payload !== undefined && {
          "content-type": "application/json",
          "content-length": Buffer.byteLength(payload),
        }),
      };
      const options = { host: "127.0.0.1", port: this.#port, path: `/v1/${path}`, method, headers, agent: this.#agent };
      const sent = request(options, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (piece) => {
          text += piece;
        });
        response.on("error", reject).on("end", () => {
          if ((response.statusCode ?? 500) >= 400)
            reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`));
          else resolve(text === "" ? {} : JSON.parse(text));
        });
      });
      sent.on("error", reject).end(payload);
    });
  }
}
