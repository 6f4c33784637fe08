/** Thrown by a call that a provider does not have: the other side is told that it is not known. */
export class NotServed extends Error {
  override readonly name = "NotServed";
}
