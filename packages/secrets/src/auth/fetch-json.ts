import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { messageOf, OperationalError } from "@millwright/core/errors";
import { secretsErrors } from "../errors.ts";

/** Gets JSON from an address; `caPem` is trusted instead of the system's authorities where it is not empty. Rejects with `unreachable`. */
export type FetchJson = (url: string, caPem: string) => Promise<unknown>;

const longestMilliseconds = 10_000;
const mostBytes = 1024 * 1024;

export const fetchJson: FetchJson = async (url, caPem) => {
  try {
    return JSON.parse(await fetchText(url, caPem));
  } catch (error) {
    const why = error instanceof SyntaxError ? "the answer is no JSON" : messageOf(error);
    throw new OperationalError(secretsErrors.unreachable, `${url}: ${why}`, { cause: error });
  }
};

// Not by `fetch`, which cannot be told whom to trust.
function fetchText(url: string, caPem: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(longestMilliseconds);
    const headers = { accept: "application/json" };
    const options = caPem === "" ? { signal, headers, agent: false } : { signal, headers, agent: false, ca: caPem };
    const request = (url.startsWith("https:") ? httpsRequest : httpRequest)(url, options, (response) => {
      const pieces: Buffer[] = [];
      let size = 0;
      response.on("error", reject);
      response.on("data", (piece: Buffer) => {
        size += piece.length;
        if (size > mostBytes) response.destroy(new Error(`the answer is larger than ${mostBytes} bytes`));
        else pieces.push(piece);
      });
      response.on("end", () => {
        if (response.statusCode === 200) resolve(Buffer.concat(pieces).toString());
        else reject(new Error(`the answer has the status ${response.statusCode}`));
      });
    });
    request.on("error", (error) =>
      reject(signal.aborted ? new Error(`no answer within ${longestMilliseconds / 1000} s`) : error),
    );
    request.end();
  });
}
