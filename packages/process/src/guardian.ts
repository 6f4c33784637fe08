import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import type { Socket } from "node:net";

/**
 * Ends process groups when this program ends, also when it was killed and could do nothing itself: a small shell in a
 * session of its own reads from a pipe that closes with this program.
 */
export interface Guardian {
  /** From now on that group ends with this program: SIGTERM, and SIGKILL {@link graceSeconds} later. */
  guard(group: number): void;
  release(group: number): void;
}

/** How long a guarded group has to end by itself. */
export const graceSeconds = 5;

const script = `
groups=
while read -r verb group; do
  rest=
  for one in $groups; do [ "$one" = "$group" ] || rest="$rest $one"; done
  groups=$rest
  [ "$verb" = guard ] && groups="$groups $group"
done
[ -n "$groups" ] || exit 0
for group in $groups; do kill -s TERM -- "-$group"; done
sleep ${graceSeconds}
for group in $groups; do kill -s KILL -- "-$group"; done
`;

/** A guardian whose shell is started when the first group needs it. It does not keep this program running. */
export function newGuardian(): Guardian {
  const guarded = new Set<number>();
  let shell: ChildProcess | undefined;
  const say = (line: string) => shell?.stdin?.write(line);
  const start = () => {
    const started = spawn("/bin/sh", ["-c", script], {
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
      cwd: "/",
      env: { PATH: "/usr/bin:/bin" },
    });
    started.on("exit", () => {
      if (shell === started) shell = undefined;
    });
    // Without a shell the groups go unguarded, which is better than not to run them at all.
    started.on("error", () => undefined);
    started.stdin.on("error", () => undefined);
    started.unref();
    (started.stdin as Socket).unref();
    shell = started;
    for (const group of guarded) say(`guard ${group}\n`);
  };
  return {
    guard: (group) => {
      guarded.add(group);
      if (shell) say(`guard ${group}\n`);
      else start();
    },
    release: (group) => {
      guarded.delete(group);
      say(`release ${group}\n`);
    },
  };
}
