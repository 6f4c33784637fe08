import type { DownloadProgress } from "@millwright/sources/http";

/** How far a download is, as people read it: `45.2 of 120.4 MB`. */
export function progressText({ received, total }: DownloadProgress): string {
  const megabytes = (bytes: number) => (bytes / 1_000_000).toFixed(1);
  return `${megabytes(received)}${total === undefined ? "" : ` of ${megabytes(total)}`} MB`;
}
