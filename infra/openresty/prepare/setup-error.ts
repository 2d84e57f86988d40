/** What keeps a node from being set up, as a sentence that says what to change. */
export class NodeSetupError extends Error {
  override readonly name = "NodeSetupError";
}
