/** Single objects of the API by their paths: those that Entrance keeps for itself, and those that it says something of. */
import { EntranceError } from "../model/error.ts";
import type { Access } from "./access.ts";
import { type KubernetesAnswer, type Limits, send } from "./request.ts";

const limits: Limits = { tryMs: 3_000, wholeMs: 8_000, maxBytes: 4 * 1024 * 1024 };

export type Written = "done" | "absent" | "conflict";

export class KubernetesObjects {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  /** Undefined: there is none. `what`: for people, such as `Secret shop/web`. */
  async get(path: string, what: string): Promise<unknown> {
    const answer = await send(this.#access, { method: "GET", path, what: `get ${what}`, limits });
    if (answer.type === "done") return answer.json;
    if (answer.type === "absent") return undefined;
    throw failed(`get ${what}`, answer);
  }

  /** RFC 7386. */
  merge(path: string, patch: unknown, what: string): Promise<Written> {
    return this.#write("PATCH", path, { type: "application/merge-patch+json", json: patch }, `patch ${what}`);
  }

  /** Kubernetes' own: entries of a list are found by their names. `invalid`: the API's words may quote what was sent. */
  async mergeByName(path: string, patch: unknown, what: string): Promise<Written | "invalid"> {
    const body = { type: "application/strategic-merge-patch+json", json: patch };
    const answer = await send(this.#access, { method: "PATCH", path, what: `patch ${what}`, limits, body });
    return answer.type === "invalid" ? answer.type : writtenBy(answer, `patch ${what}`);
  }

  /** `conflict`: it is there already. */
  create(path: string, object: unknown, what: string): Promise<Written> {
    return this.#write("POST", path, { type: "application/json", json: object }, `create ${what}`);
  }

  async #write(
    method: "PATCH" | "POST",
    path: string,
    body: { readonly type: string; readonly json: unknown },
    what: string,
  ): Promise<Written> {
    return writtenBy(await send(this.#access, { method, path, what, limits, body }), what);
  }
}

function writtenBy(answer: KubernetesAnswer, what: string): Written {
  if (answer.type === "done" || answer.type === "absent" || answer.type === "conflict") return answer.type;
  throw failed(what, answer);
}

function failed(what: string, answer: KubernetesAnswer): EntranceError {
  const reason = answer.type === "invalid" ? answer.reason : `its answer is ${answer.type}`;
  return new EntranceError("unavailable", `cannot ${what}: ${reason}`);
}
