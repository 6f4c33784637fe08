/** A part of a job by names: the job itself (none), a group, or a group and a task of it. */
export type JobPart = readonly [] | readonly [group: string] | readonly [group: string, task: string];

/** What a part is known by where one looks it up; names hold no null character. */
export function partKey(part: JobPart): string {
  return part.join("\0");
}
