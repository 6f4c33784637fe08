/** A moment that is given in RFC 3339, as lists for people have it: to the minute, in the machine's time zone. */
export function momentText(text: string): string {
  const at = new Date(text);
  const two = (part: number) => String(part).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}`;
}
