/** Something the command needs and this script may not bring: the message says what to type. */
export class Missing extends Error {}
