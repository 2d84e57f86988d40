/** What every store refuses before it reads or writes anything, in the same words. */
import { EntranceError } from "../model/error.ts";
import {
  type Check,
  type Key,
  keyText,
  maxCommitBytes,
  maxCommitKeys,
  maxPageSize,
  maxPartitionBytes,
  maxSortBytes,
  maxValueBytes,
  type Write,
} from "./port.ts";

/** Throws `invalid` or `too-large`. */
export function checkKey(key: Key): void {
  checkKeyPart("partition", key.partition, maxPartitionBytes);
  checkKeyPart("sort key", key.sort, maxSortBytes);
}

/** Throws `invalid` or `too-large`. `after` need not exist, but must be a possible sort key. */
export function checkList(partition: string, after: string | undefined, limit: number): void {
  checkKeyPart("partition", partition, maxPartitionBytes);
  if (after !== undefined) checkKeyPart("sort key to list after", after, maxSortBytes);
  if (!Number.isInteger(limit) || limit < 1 || limit > maxPageSize) {
    throw new EntranceError("invalid", `a page has 1 to ${maxPageSize} entries; ${limit} were asked for`);
  }
}

/** Throws `invalid` or `too-large`. */
export function checkCommit(checks: readonly Check[], writes: readonly Write[]): void {
  const checked = distinctKeys("checked", checks);
  const written = distinctKeys("written", writes);
  const keys = new Set([...checked, ...written]).size;
  if (keys === 0) throw new EntranceError("invalid", "a commit needs at least one check or write");
  if (keys > maxCommitKeys) {
    throw new EntranceError("too-large", `a commit has at most ${maxCommitKeys} keys; this one has ${keys}: split it`);
  }
  let total = 0;
  for (const { key, value } of writes) {
    if (value === null) continue;
    checkText(`the value of ${keyText(key)}`, value);
    const size = utf8Bytes(value);
    if (size > maxValueBytes) {
      const sentence = `the value of ${keyText(key)} has ${size} bytes; the limit is ${maxValueBytes}: write it in parts`;
      throw new EntranceError("too-large", sentence);
    }
    total += size;
  }
  if (total > maxCommitBytes) {
    throw new EntranceError(
      "too-large",
      `a commit has at most ${maxCommitBytes} bytes; this one has ${total}: split it`,
    );
  }
}

function distinctKeys(verb: string, actions: readonly { readonly key: Key }[]): Set<string> {
  const seen = new Set<string>();
  for (const { key } of actions) {
    checkKey(key);
    // NUL is in no key, so this text is one key's only.
    const identity = `${key.partition}\0${key.sort}`;
    if (seen.has(identity)) throw new EntranceError("invalid", `${keyText(key)} is ${verb} twice in one commit`);
    seen.add(identity);
  }
  return seen;
}

function checkKeyPart(name: string, text: string, limit: number): void {
  if (text === "") throw new EntranceError("invalid", `the ${name} must not be empty`);
  if (text.includes("\0")) throw new EntranceError("invalid", `the ${name} must not contain NUL`);
  checkText(`the ${name}`, text);
  // A code unit is at most three bytes: what is short need not be measured.
  const size = 3 * text.length <= limit ? 0 : utf8Bytes(text);
  if (size > limit) throw new EntranceError("too-large", `the ${name} has ${size} bytes; the limit is ${limit}`);
}

/** A lone surrogate has no UTF-8: each store would replace it in its own way. */
function checkText(name: string, text: string): void {
  if (!text.isWellFormed())
    throw new EntranceError("invalid", `${name} is no Unicode text: it has half a surrogate pair`);
}

const utf8 = new TextEncoder();

function utf8Bytes(text: string): number {
  return utf8.encode(text).length;
}
