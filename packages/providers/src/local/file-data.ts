import { messageOf } from "@millwright/core/errors";
import type { DataSource } from "@millwright/provider/data-source";
import { defineDataSource } from "@millwright/provider/data-source";
import { computed, required, string } from "@millwright/provider/fields";
import { failure } from "@millwright/provider/problem";
import { readFile } from "node:fs/promises";
import { checksumsOf } from "./checksums.ts";

/** The data sources `local_file` and `local_sensitive_file`: a file's content and checksums. */
export function localFileData(content: { readonly sensitive: boolean }): DataSource<unknown> {
  return defineDataSource({
    schema: {
      filename: required(string, { description: "The file to read; it has to exist." }),
      content: computed(string, { ...content, description: "As text; bytes that are no UTF-8 come out as U+FFFD." }),
      content_base64: computed(string, { ...content, description: "As base64, for files that are no text." }),
      id: computed(string, { description: "SHA-1 of the content, in hexadecimal." }),
      content_md5: computed(string),
      content_sha1: computed(string),
      content_sha256: computed(string),
      content_base64sha256: computed(string),
      content_sha512: computed(string),
      content_base64sha512: computed(string),
    },
    read: async ({ config: { filename }, signal }) => {
      const bytes = await readFile(filename, { signal }).catch((error: unknown) => {
        if (signal.aborted) throw error;
        throw failure("Read local file data source error", `The file cannot be read: ${messageOf(error)}.`, [
          "filename",
        ]);
      });
      return {
        filename,
        content: bytes.toString("utf8"),
        content_base64: bytes.toString("base64"),
        ...checksumsOf(bytes),
      };
    },
  });
}
