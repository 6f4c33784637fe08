import { type FSWatcher, watch } from "node:fs";
import { systemClock } from "@millwright/core/ports";

/** Tells when something in a folder may have changed. */
export interface FolderWatch {
  /** Resolves at the next change, also one since the last call, at the signal's abort, and in any case after a while. */
  changed(signal?: AbortSignal): Promise<void>;
  close(): void;
}

/** Where the kernel has no watch left it only looks more often. Does not keep this program running. */
export function watchFolder(folder: string): FolderWatch {
  let isChanged = false;
  let wake: () => void = () => undefined;
  const note = () => {
    isChanged = true;
    wake();
  };
  const watcher = watcherOf(folder, note);
  return {
    changed: async (signal) => {
      if (!isChanged) {
        const woken = new AbortController();
        wake = () => woken.abort();
        const either = signal ? AbortSignal.any([woken.signal, signal]) : woken.signal;
        await systemClock.sleep(watcher ? watchedMilliseconds : lookMilliseconds, either).catch(() => undefined);
      }
      isChanged = false;
    },
    close: () => watcher?.close(),
  };
}

const watchedMilliseconds = 1_000;
const lookMilliseconds = 100;

function watcherOf(folder: string, note: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, note);
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}
