import { type FSWatcher, watch } from "node:fs";

/** Wakes whoever follows a file: when something in its folder has changed, or somebody says so. */
export class Waker {
  #woken = Promise.withResolvers<void>();
  #watcher: FSWatcher | undefined;

  /** Watches the files of a folder that are meant; one that cannot be watched is looked at at the end of each wait alone. */
  constructor(folder: string, isMeant: (name: string) => boolean) {
    try {
      this.#watcher = watch(folder, { persistent: false }, (_event, name) => {
        if (name === null || isMeant(name)) this.wake();
      });
      this.#watcher.on("error", () => this.#watcher?.close());
    } catch {
      // The machine allows no more watches, or the folder is gone.
      this.#watcher = undefined;
    }
  }

  wake(): void {
    this.#woken.resolve();
  }

  /** What is woken from now on counts for the next {@link wait}: to be called before looking. */
  rearm(): void {
    this.#woken = Promise.withResolvers();
  }

  /** Resolves to true shortly after it was woken, as changes come in swarms; to false after that time or at the abort. */
  async wait(milliseconds: number, signal: AbortSignal): Promise<boolean> {
    const over = Promise.withResolvers<boolean>();
    const stop = () => over.resolve(false);
    const timer = setTimeout(stop, milliseconds);
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    try {
      return await Promise.race([this.#woken.promise.then(pause), over.promise]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    }
  }

  close(): void {
    this.#watcher?.close();
  }
}

const swarmMilliseconds = 10;

function pause(): Promise<true> {
  return new Promise((resolve) => setTimeout(resolve, swarmMilliseconds, true));
}
