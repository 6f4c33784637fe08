import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface RemoteThing {
  readonly id: string;
  readonly label: string;
  readonly text: string;
  /** The number of the change that made it. */
  readonly made: number;
}

/** What `remote.provider.ts` manages: things behind HTTP, and every change that was ever made to them. */
export class RemoteWorld {
  readonly address: string;
  /** Tells of each change when it has been made; the answer waits for it. */
  onChange: (change: RemoteChange) => Promise<void> | void = () => undefined;
  readonly #server: ReturnType<typeof createServer>;
  readonly #things = new Map<string, RemoteThing>();
  readonly #log: RemoteChange[] = [];

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server;
    this.address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(): Promise<RemoteWorld> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const world = new RemoteWorld(server);
    server.on("request", (request, response) => void world.#answer(request, response));
    return world;
  }

  get things(): readonly RemoteThing[] {
    return [...this.#things.values()];
  }

  /** How often something of each label was made. */
  get made(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { kind, label } of this.#log) if (kind === "create") counts.set(label, (counts.get(label) ?? 0) + 1);
    return counts;
  }

  find(label: string): RemoteThing | undefined {
    return this.things.find((thing) => thing.label === label);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // One that was killed in the middle of its request has asked for nothing.
    const body = await text(request).catch(() => undefined);
    if (body === undefined) return;
    const [, kind, id = ""] = (request.url ?? "").split("/");
    const given = body === "" ? {} : (JSON.parse(body) as { readonly label?: string; readonly text?: string });
    const { status, thing, change } = this.#act(`${request.method} ${kind}`, id, given);
    if (change) await this.onChange(change);
    response.writeHead(status).end(thing ? JSON.stringify(thing) : "");
  }

  #act(what: string, id: string, { label = "", text: words = "" }: { label?: string; text?: string }): Acted {
    const thing = this.#things.get(id);
    switch (what) {
      case "POST named":
        return this.#things.has(label) ? { status: 409 } : this.#create(label, label, words);
      case "POST assigned":
        return this.#create(`thing-${this.#log.length + 1}`, label, words);
      case "GET things":
        return thing ? { status: 200, thing } : { status: 404 };
      case "PUT things":
        if (!thing) return { status: 404 };
        return this.#put("update", { ...thing, text: words });
      case "DELETE things":
        if (!thing) return { status: 404 };
        this.#things.delete(id);
        return { status: 200, change: this.#note("delete", thing) };
      default:
        return { status: 400 };
    }
  }

  #create(id: string, label: string, words: string): Acted {
    return this.#put("create", { id, label, text: words, made: this.#log.length + 1 });
  }

  #put(kind: RemoteChange["kind"], thing: RemoteThing): Acted {
    this.#things.set(thing.id, thing);
    return { status: 200, thing, change: this.#note(kind, thing) };
  }

  #note(kind: RemoteChange["kind"], { id, label }: RemoteThing): RemoteChange {
    const change = { kind, id, label };
    this.#log.push(change);
    return change;
  }
}

export interface RemoteChange {
  readonly kind: "create" | "update" | "delete";
  readonly id: string;
  readonly label: string;
}

interface Acted {
  readonly status: number;
  readonly thing?: RemoteThing;
  readonly change?: RemoteChange;
}
