/**
 * The web's Request, Response and Headers, as far as doors and plugin use them: a body is one piece of text. Node's own
 * bring streams, brand checks and a clock of their own along, which take a simulation a fifth of its time.
 */
class PlainHeaders {
  readonly #all = new Map<string, string>();

  constructor(init: PlainHeaders | Readonly<Record<string, string>> = {}) {
    for (const [name, value] of init instanceof PlainHeaders ? init.#all : Object.entries(init)) this.set(name, value);
  }

  get(name: string): string | null {
    return this.#all.get(name.toLowerCase()) ?? null;
  }

  set(name: string, value: string): void {
    this.#all.set(name.toLowerCase(), value);
  }

  delete(name: string): void {
    this.#all.delete(name.toLowerCase());
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.#all.entries();
  }
}

interface PlainInit {
  readonly status?: number;
  readonly headers?: PlainHeaders | Readonly<Record<string, string>>;
}

class PlainResponse {
  readonly status: number;
  readonly headers: PlainHeaders;
  readonly #text: string;

  constructor(text: string | null = null, { status = 200, headers }: PlainInit = {}) {
    this.#text = text ?? "";
    this.status = status;
    this.headers = new PlainHeaders(headers);
  }

  static json(body: unknown, init?: PlainInit): PlainResponse {
    return new PlainResponse(JSON.stringify(body), init);
  }

  async text(): Promise<string> {
    return this.#text;
  }

  async json(): Promise<unknown> {
    return JSON.parse(this.#text);
  }
}

/** A POST of JSON, or a GET. */
export function plainRequest(url: string, text?: string): Request {
  const headers = new PlainHeaders({ "content-type": "application/json", "content-length": String(text?.length ?? 0) });
  const request: unknown = { method: text === undefined ? "GET" : "POST", url, headers, text: async () => text };
  return request as Request;
}

/** From now on they stand in the place of Node's. */
export function usePlainWeb(): void {
  Object.assign(globalThis, { Response: PlainResponse, Headers: PlainHeaders });
}
