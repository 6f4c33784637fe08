/** Ends an execution with a message; never leaves `execute`. */
export class ExecutionFault extends Error {
  override readonly name = "ExecutionFault";
}
