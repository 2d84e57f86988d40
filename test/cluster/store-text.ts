/** All that Entrance's own etcd has, as one text: whatever tests put there would be found in it. */
import type { Facts } from "./field.ts";

interface Range {
  readonly kvs?: readonly { readonly key: string; readonly value?: string }[];
  readonly more?: boolean;
}

const perPage = 500;
const everything = Buffer.from([0]).toString("base64");

export async function storeText({ store }: Facts): Promise<string> {
  const texts: string[] = [];
  for (let from: string | undefined = everything; from !== undefined; ) {
    const body = JSON.stringify({ key: from, range_end: everything, limit: perPage });
    const response: Response = await fetch(`${store}/v3/kv/range`, { method: "POST", body });
    const { kvs = [], more = false } = (await response.json()) as Range;
    for (const { key, value = "" } of kvs) texts.push(textOf(key), textOf(value));
    const last = kvs.at(-1)?.key;
    from = more && last !== undefined ? after(last) : undefined;
  }
  return texts.join("\n");
}

function textOf(base64: string): string {
  return Buffer.from(base64, "base64").toString("utf8");
}

/** The first key that can come behind it. */
function after(key: string): string {
  return Buffer.concat([Buffer.from(key, "base64"), Buffer.from([0])]).toString("base64");
}
