import { badAnswer, type CallOptions, type ConsulApi, jsonOf } from "./consul-api.ts";
import { wireObjects } from "./consul-wire.ts";

/** A question whether a token may do something. */
export interface AccessQuestion {
  /** `service`, `node`, `agent`, `key` …. */
  readonly resource: string;
  readonly access: "read" | "write" | "list";
  /** The name of what it is about. */
  readonly segment: string;
}

/** `/v1/internal/acl`: what a token may do. */
export class ConsulAcl {
  readonly #api: ConsulApi;

  constructor(api: ConsulApi) {
    this.#api = api;
  }

  /** Whether the call's token may do each of these, in their order. A server without access control allows all. */
  async authorize(questions: readonly AccessQuestion[], options: CallOptions = {}): Promise<readonly boolean[]> {
    const body = questions.map(({ resource, access, segment }) => ({
      Resource: resource,
      Access: access,
      Segment: segment,
    }));
    const answer = await this.#api.request({
      method: "POST",
      path: "/v1/internal/acl/authorize",
      body: Buffer.from(JSON.stringify(body)),
      options,
      repeatable: true,
      accept: [401],
    });
    const what = "asking what a token may do";
    if (answer.status === 401) {
      await answer.bytes();
      return questions.map(() => true);
    }
    const decisions = wireObjects(await jsonOf(answer, what), what).map((decision) => decision.flag("Allow"));
    if (decisions.length !== questions.length) throw badAnswer(what, "its answer has another length than the question");
    return decisions;
  }
}
