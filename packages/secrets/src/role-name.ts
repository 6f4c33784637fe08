/** Whether a text from outside can name a role: one segment of a path, of letters, digits, `_`, `-` and points. */
export function isRoleName(name: string): boolean {
  return /^[\w.-]{1,128}$/.test(name) && !/^\.+$/.test(name);
}
