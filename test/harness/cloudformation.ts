/** The templates of infra/aws/. A function of CloudFormation becomes an object with its name: `{Ref: "Table"}`. */
import { readFileSync } from "node:fs";
import { parse, type ScalarTag, YAMLMap, YAMLSeq } from "yaml";
import { root } from "../../infra/wrangler.ts";

const names = ["Ref", "GetAtt", "Sub", "If", "Not", "Equals", "Join"];

export function readTemplate(name: string): unknown {
  const scalars = names.map((tag): ScalarTag => ({ tag: `!${tag}`, resolve: (text) => ({ [tag]: text }) }));
  const lists = names.map((tag) => ({
    tag: `!${tag}`,
    collection: "seq" as const,
    resolve: (list: unknown) => (list instanceof YAMLSeq ? mapOf(tag, list) : list),
  }));
  return parse(readFileSync(`${root}infra/aws/${name}`, "utf8"), { customTags: [...scalars, ...lists] });
}

function mapOf(name: string, list: YAMLSeq): YAMLMap {
  const map = new YAMLMap();
  map.set(name, list);
  return map;
}
