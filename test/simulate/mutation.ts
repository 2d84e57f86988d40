export interface Mutation {
  /** From the root of the project. */
  readonly file: string;
  /** Stands there exactly once. */
  readonly find: string;
  readonly put: string;
}

/**
 * The text of one file with pieces of it replaced, one after the other.
 *
 * @throws Error where a piece is not there any more, or more than once: the mutant is older than the code
 */
export function mutated(text: string, mutations: readonly Mutation[]): string {
  return mutations.reduce((before, { file, find, put }) => {
    const times = before.split(find).length - 1;
    if (times !== 1) {
      throw new Error(`${file} has this ${times} times instead of once: bring the mutant up to date: ${find}`);
    }
    return before.replace(find, () => put);
  }, text);
}
