/**
 * One HTTP request, apart from any library: what a listener hands to a service. Header names are in lower case.
 */
export interface HttpRequest {
  readonly method: string;
  /** As it was sent: percent-encoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  header(name: string): string | undefined;
  /** The body piece by piece; to be read once. */
  body(): AsyncIterable<Uint8Array>;
  /** What the client says the body's length is. */
  readonly contentLength?: number;
  /** `address:port` of the client, or the socket's path. */
  readonly remote: string;
  /** Aborts when the client has gone or the listener is closing: whoever waits should answer now. */
  readonly signal: AbortSignal;
}

export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Pieces are sent as they come; a failure after the first piece breaks the connection, so that nobody takes it for whole. */
  readonly body?: string | Uint8Array | AsyncIterable<string | Uint8Array>;
}

/**
 * Answers every request of one protocol. Rejects only for a bug, or for an operational error that the protocol has no
 * form for; the listener makes a plain 500 of it.
 */
export type HttpService = (request: HttpRequest) => Promise<HttpReply>;
