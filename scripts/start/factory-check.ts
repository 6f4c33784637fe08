import { Agent, request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import type { Factory } from "./factory.ts";
import type { Allocation, Instance } from "./factory-jobs.ts";
import type { Stage } from "./stage.ts";

const api = "api.widgets.service.consul";
const instances = 3;

/** What must be seen of the factory, unattended. */
export class FactoryCheck {
  readonly #stage: Stage;
  readonly #factory: Factory;
  readonly #over = new AbortController();
  #remembered: readonly Instance[] = [];

  constructor(stage: Stage, factory: Factory) {
    this.#stage = stage;
    this.#factory = factory;
  }

  async run(): Promise<void> {
    try {
      await this.comesUp();
      await this.heals();
      await this.outlives("agent");
      await this.outlives("server");
      await this.rolls();
      await this.takesBack();
      await this.survivesItsDatabase();
      await this.givesBack();
      await this.isRemoved();
    } finally {
      this.#over.abort();
    }
  }

  async comesUp(): Promise<void> {
    this.#stage.title("The factory takes orders");
    const { text } = await this.#factory.run("plan", "-var=release=1", "-detailed-exitcode");
    this.#fact(text.includes("No changes"), "planned again, there is nothing to do");
    await this.#until(
      `${instances} instances are found by name`,
      async () => (await this.#found()).length === instances,
    );
    const order = await this.#order();
    this.#stage.say(`POST http://${api}/orders → ${order}`);
    this.#fact(/"order":\d+/.test(order), "an order is taken, and written into the database");
    const web = await this.#factory.jobs.find("web.widgets.service.consul");
    this.#fact(web.length === instances, "each has a web page beside it");
    const page = await fetch(`http://${web[0]?.host}:${web[0]?.port}/`);
    this.#fact((await page.text()).includes("<h2>1 orders</h2>"), "the page shows what was ordered");
  }

  async heals(): Promise<void> {
    this.#stage.title("An instance is killed");
    const [victim] = await this.#running();
    if (!victim) return this.#fact(false, "an instance runs");
    const pid = await this.#pidOf(victim, "api");
    const began = performance.now();
    process.kill(pid, "SIGKILL");
    this.#stage.say(`kill -9 ${pid}`);
    const isBack = async () => {
      const task = await this.#task(victim, "api");
      return task.Restarts > 0 && task.State === "running" && (await this.#found()).length === instances;
    };
    await this.#until("it is started again, and is found again when it is healthy", isBack);
    this.#stage.say(`healthy again after ${((performance.now() - began) / 1_000).toFixed(1)} s`);
  }

  /** Kills what started the program, or what holds all that is known of it. */
  async outlives(part: "agent" | "server"): Promise<void> {
    this.#stage.title(`The ${part} is killed`);
    const [victim] = await this.#running();
    if (!victim) return this.#fact(false, "an instance runs");
    const pid = await this.#pidOf(victim, "api");
    const client = this.#client();
    await this.#stage.restart(part);
    const isFound = async () => (await this.#pidOf(victim, "api")) === pid;
    await this.#until("its tasks live on, and are found again as the same processes", isFound);
    this.#fact((await client.stop()) === 0, "no request has failed meanwhile");
  }

  async rolls(): Promise<void> {
    this.#stage.title("Release 2, one instance at a time");
    const client = this.#client();
    const { code } = await this.#factory.apply("2");
    this.#fact(code === 0, "release 2 is applied");
    await this.#until("all instances are of release 2", async () => {
      const found = await this.#found();
      const releases = await Promise.all(found.map((one) => this.#release(one)));
      return releases.length === instances && releases.every((release) => release === "2");
    });
    this.#fact((await client.stop()) === 0, `none of ${client.sent} requests has failed on the way`);
  }

  async takesBack(): Promise<void> {
    this.#stage.title("Release 3, which does not work");
    const client = this.#client();
    const { code, text } = await this.#factory.apply("3");
    this.#fact(code !== 0 && /unhealthy/i.test(text), "the apply fails, and says that an allocation was unhealthy");
    await this.#until("release 2 is back everywhere", async () => {
      const found = await this.#found();
      const releases = await Promise.all(found.map((one) => this.#release(one)));
      return releases.length === instances && releases.every((release) => release === "2");
    });
    const tried = (await this.#factory.jobs.allocations("widgets")).filter(({ JobVersion }) => JobVersion === 2);
    this.#fact(tried.length === 1, "it stopped after the first instance");
    this.#fact((await client.stop()) === 0, `none of ${client.sent} requests has failed on the way`);
  }

  async survivesItsDatabase(): Promise<void> {
    this.#stage.title("The database is killed");
    const [database] = await this.#factory.jobs.running("factory-db");
    if (!database) return this.#fact(false, "the database runs");
    process.kill(await this.#pidOf(database, "postgres"), "SIGKILL");
    await this.#until("the program is unhealthy, and leaves DNS", async () => (await this.#found()).length === 0);
    await this.#until("it comes back by itself", async () => (await this.#found()).length === instances);
    this.#fact(/"order":\d+/.test(await this.#order()), "orders are taken again");
  }

  async givesBack(): Promise<void> {
    this.#stage.title("The program is stopped");
    const logins = () => this.#factory.sql("SELECT rolname FROM pg_roles WHERE rolname LIKE 'v-%'");
    const before = await logins();
    this.#fact(before.length >= instances, "each task has a login of its own");
    const { code } = await this.#stage.run(this.#factory.folder, "nomad", ["stop", "widgets"]);
    this.#fact(code === 0, "it stops");
    await this.#until("its logins are gone with it", async () => (await logins()).length === 0);
  }

  async isRemoved(): Promise<void> {
    this.#stage.title("Everything removed again");
    const { code } = await this.#factory.run("destroy", "-auto-approve");
    this.#fact(code === 0, "the factory is destroyed");
    const jobs = await this.#factory.jobs.get<readonly unknown[]>("/v1/jobs");
    this.#fact(jobs.length === 0, "no job is left");
  }

  /** A client that finds the program by name before each request, all the time. */
  #client() {
    const over = new AbortController();
    const counts = { sent: 0, failed: 0 };
    const running = (async () => {
      while (!over.signal.aborted && !this.#over.signal.aborted) {
        counts.sent++;
        const fault = await this.#order("remembers").then(
          () => undefined,
          (error: unknown) => String(error),
        );
        if (fault !== undefined) {
          counts.failed++;
          if (counts.failed <= 10) this.#stage.say(`A request failed: ${fault}`);
        }
        await pause(25);
      }
    })();
    return {
      get sent() {
        return counts.sent;
      },
      stop: async () => {
        over.abort();
        await running;
        return counts.failed;
      },
    };
  }

  /** As a program whose resolver remembers for a while: names are the agent's to answer, and it may just be starting again. */
  async #order(resolver: "asks" | "remembers" = "asks"): Promise<string> {
    const found = await this.#found().catch((error: unknown) => {
      if (resolver === "asks") throw error;
      return this.#remembered;
    });
    this.#remembered = found;
    const one = found[Math.floor(Math.random() * found.length)];
    if (!one) throw new Error(`${api} leads nowhere`);
    return post(one, JSON.stringify({ widget: "cog", count: 1 }));
  }

  async #release({ host, port }: Instance): Promise<string | undefined> {
    const answer = await fetch(`http://${host}:${port}/orders`).catch(() => undefined);
    return answer?.ok ? ((await answer.json()) as { readonly release: string }).release : undefined;
  }

  #found(): Promise<readonly Instance[]> {
    return this.#factory.jobs.find(api);
  }

  #running(): Promise<readonly Allocation[]> {
    return this.#factory.jobs.running("widgets");
  }

  async #task({ ID }: Allocation, task: string): Promise<{ readonly State: string; readonly Restarts: number }> {
    const { TaskStates } = await this.#factory.jobs.get<{
      readonly TaskStates: Readonly<Record<string, { readonly State: string; readonly Restarts: number }>>;
    }>(`/v1/allocation/${ID}`);
    return TaskStates[task] ?? { State: "none", Restarts: 0 };
  }

  async #pidOf({ ID }: Allocation, task: string): Promise<number> {
    const { Tasks } = await this.#factory.jobs.get<{
      readonly Tasks: Readonly<Record<string, { readonly Pids: Readonly<Record<string, unknown>> | null }>>;
    }>(`/v1/client/allocation/${ID}/stats`);
    return Math.min(...Object.keys(Tasks[task]?.Pids ?? {}).map(Number));
  }

  #fact(holds: boolean, what: string): void {
    this.#stage.fact(holds, what);
  }

  async #until(what: string, holds: () => Promise<boolean>): Promise<void> {
    for (const giveUp = Date.now() + 40_000; Date.now() < giveUp; await pause(100))
      if (await holds().catch(() => false)) return this.#fact(true, what);
    this.#fact(false, what);
  }
}

const connections = new Agent({ keepAlive: false });

// Without a connection that is kept: whoever finds a server by name connects to what the name leads to now.
function post({ host, port }: Instance, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host, port, path: "/orders", method: "POST", agent: connections, timeout: 5_000 };
    const sent = request(options, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      answer.on("end", () =>
        answer.statusCode === 201 ? resolve(text.trim()) : reject(new Error(`${answer.statusCode} ${text}`)),
      );
      answer.on("error", reject);
    });
    sent.on("error", reject).on("timeout", () => sent.destroy(new Error("no answer within 5 s")));
    sent.end(body);
  });
}
