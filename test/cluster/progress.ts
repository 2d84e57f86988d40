/** What a build has done so far: one line that is written over on a terminal, a line now and then elsewhere. */

const everyMs = { terminal: 200, file: 20_000 };

export class Progress {
  readonly #what: string;
  readonly #begun = Date.now();
  readonly #isTerminal = process.stderr.isTTY === true;
  #downloaded = 0;
  #compiled = 0;
  #told = Date.now();

  constructor(what: string) {
    this.#what = what;
  }

  /** A line of `go build -v`. */
  tell(line: string): void {
    if (line.startsWith("go: downloading ")) this.#downloaded += 1;
    else this.#compiled += 1;
    if (Date.now() - this.#told < (this.#isTerminal ? everyMs.terminal : everyMs.file)) return;
    this.#told = Date.now();
    this.#write(this.#isTerminal ? "\r\u001b[K" : "", this.#isTerminal ? "" : "\n");
  }

  end(): void {
    this.#write(this.#isTerminal ? "\r\u001b[K" : "", "\n");
  }

  #write(before: string, after: string): void {
    const seconds = Math.round((Date.now() - this.#begun) / 1000);
    const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    const done = `${this.#downloaded} modules fetched, ${this.#compiled} packages compiled`;
    process.stderr.write(`${before}  ${this.#what}  ${time}  ${done}${after}`);
  }
}
