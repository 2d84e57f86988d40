/**
 * An item of the table: `p` (partition), `s` (sort key), `v` (value), `w` (version: the id of the commit that wrote it,
 * random, so none ever comes back) and `f` (the format of the item).
 */
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { EntranceError } from "../model/error.ts";
import type { Entry, Key } from "./port.ts";

const format = "1";

export type Item = Record<string, AttributeValue>;

/** NUL is in no key, so this text is one key's only. */
export function nameOf({ partition, sort }: Key): string {
  return `${partition}\0${sort}`;
}

export function keyOf({ partition, sort }: Key): Item {
  return { p: { S: partition }, s: { S: sort } };
}

export function itemOf(key: Key, value: string, version: string): Item {
  return { ...keyOf(key), v: { S: value }, w: { S: version }, f: { N: format } };
}

export function entryOf(item: Item): Entry {
  const found = item["f"]?.N;
  if (found !== format) {
    const sentence = `the store has format ${found}, and this Entrance reads format ${format}: run the newer Entrance`;
    throw new EntranceError("misconfigured", sentence);
  }
  const { p, s, v, w } = item;
  return { key: { partition: p?.S ?? "", sort: s?.S ?? "" }, value: v?.S ?? "", version: w?.S ?? "" };
}
