/** One object's annotations of our prefix, read one by one; what can't be used becomes a sentence and a refusal. */
import type * as v from "valibot";
import { type Parsed, parseWith } from "../../model/parse.ts";
import { quote, refusal } from "../problem.ts";
import type { Problem } from "../translation.ts";

export class Annotations {
  readonly #values: Readonly<Record<string, string>>;
  readonly #prefix: string;
  readonly #problems: Problem[];

  constructor(values: Readonly<Record<string, string>>, prefix: string, problems: Problem[]) {
    this.#values = values;
    this.#prefix = prefix;
    this.#problems = problems;
  }

  has(name: string): boolean {
    return this.#text(name) !== "";
  }

  #text(name: string): string {
    return Object.hasOwn(this.#values, name) ? (this.#values[name]?.trim() ?? "") : "";
  }

  /** Undefined when it is not there, or can't be used. `form` is what to write instead. */
  read<T>(name: string, form: string, parse: (text: string) => Parsed<T>): T | undefined {
    const text = this.#text(name);
    if (text === "") return undefined;
    const parsed = parse(text);
    if (parsed.ok) return parsed.value;
    this.refuse(name, text, `${parsed.reason}; write ${form}`);
    return undefined;
  }

  /** The same by a schema, from what `shape` makes of the text. */
  readAs<T>(
    name: string,
    form: string,
    schema: v.GenericSchema<unknown, T>,
    shape: (text: string) => unknown,
  ): T | undefined {
    return this.read(name, form, (text) => {
      const parsed = parseWith(schema, shape(text));
      // A schema's own words speak of what was made of the text.
      return parsed.ok || !/\bInvalid\b/.test(parsed.reason) ? parsed : { ok: false, reason: "can't be read" };
    });
  }

  flag(name: string): boolean {
    return (
      this.read(name, '"true" or "false"', (text): Parsed<boolean> => {
        if (text === "true" || text === "false") return { ok: true, value: text === "true" };
        return { ok: false, reason: 'is neither "true" nor "false"' };
      }) ?? false
    );
  }

  /** An annotation that means something only beside another one, or beside one of several. */
  needs(name: string, ...others: string[]): void {
    if (this.has(name) && !others.some((other) => this.has(other))) {
      const what = others.map((other) => `${this.#prefix}/${other}`).join(" or ");
      this.refuse(name, this.#text(name), `means nothing without ${what}; add that, or leave this out`);
    }
  }

  refuse(name: string, text: string, sentence: string): void {
    this.#problems.push(refusal(`annotation ${this.#prefix}/${name}: ${quote(text)}: ${plain(sentence)}`));
  }
}

/** Reasons may repeat what was written. */
function plain(sentence: string): string {
  return sentence.replace(/[^\x20-\x7e]/gu, "?").slice(0, 400);
}

/** Parts of a list, joined by commas. */
export function listed(text: string): string[] {
  return text.split(",").map((part) => part.trim());
}

/** Parts of a list, each on a line of its own. */
export function lines(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

export function numberIn(text: string): number {
  return /^[0-9]{1,12}$/.test(text) ? Number(text) : Number.NaN;
}
