/** An error whose message is written for the user and says what to do: printed without a stack. */
export class Told extends Error {}
