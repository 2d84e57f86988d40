/** Commands of a document with what they answer: blocks that begin with ```console, lines that begin with `$ `. */
export interface Line {
  readonly command: string;
  /** `…` stands for anything. */
  readonly answer: string;
}

export function linesOf(markdown: string): Line[] {
  const blocks = [...markdown.matchAll(/^```console\n(.*?)^```$/gms)].map(([, block]) => block ?? "");
  return blocks.flatMap((block) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        // A command goes on where a line is indented.
        const end = /\n(?! {4})/.exec(part)?.index ?? part.length;
        return { command: part.slice(0, end), answer: part.slice(end + 1).trimEnd() };
      }),
  );
}

/** Of the whole of what is said. */
export function patternOf(answer: string): RegExp {
  return new RegExp(`^${answer.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll("…", ".*")}$`, "s");
}
