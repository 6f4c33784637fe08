import type { HttpReply, HttpRequest } from "@millwright/core/http";

/** One of a node's own endpoints. */
export interface EndpointRoute {
  readonly method: "GET" | "PUT" | "POST";
  readonly pattern: string;
  handle(call: EndpointCall): Promise<HttpReply>;
}

export interface EndpointCall {
  readonly request: HttpRequest;
  readonly params: Readonly<Record<string, string>>;
}
