/** A Service of the same namespace that gets a share of the requests, or copies of them. */
import { labelName } from "../../model/object-name.ts";
import { type Parsed, parseWith } from "../../model/parse.ts";
import { parsePortNumber } from "../../model/port-number.ts";
import type { Annotations } from "./annotations.ts";

export interface ShareBackend {
  readonly service: string;
  readonly port: number | string;
}

export interface Share extends ShareBackend {
  /** Absent: all. */
  readonly percent?: number;
}

/** The Services that get copies or a share, as backends. */
export function sharesOf({ mirror, canary }: Shares): ShareBackend[] {
  return [mirror, canary].filter((share) => share !== undefined);
}

/** The pool of each, by what finds it. */
export function mapShares(
  { mirror, canary }: Shares,
  pool: (backend: ShareBackend) => string | undefined,
): { readonly mirror: string | undefined; readonly canary: string | undefined } {
  return { mirror: mirror && pool(mirror), canary: canary && pool(canary) };
}

interface Shares {
  readonly mirror?: Share;
  readonly canary?: Share;
}

const forms = {
  mirror: "SERVICE:PORT, or SERVICE:PORT=PERCENT for a part",
  canary: "SERVICE:PORT=PERCENT",
} as const;

/** `mirror`, `canary`. */
export function shareOf(annotations: Annotations, name: "mirror" | "canary"): Share | undefined {
  return annotations.read(name, forms[name], (text): Parsed<Share> => {
    const [, service = "", port = "", digits] = /^([^:=]+):([^:=]+?)(?:=([0-9]{1,3}))?$/.exec(text) ?? [];
    const percent = digits === undefined ? undefined : Number(digits);
    const known = parseWith(labelName, service.trim());
    if (!known.ok) return { ok: false, reason: "is no Service and port" };
    if ((percent === undefined && name === "canary") || (percent ?? 0) > 100) {
      return { ok: false, reason: "the share is a number from 0 to 100" };
    }
    const number = parsePortNumber(port.trim());
    if (!number.ok && /^[0-9]+$/.test(port.trim())) return number;
    return {
      ok: true,
      value: {
        service: known.value,
        port: number.ok ? number.value : port.trim(),
        ...(percent === undefined ? {} : { percent }),
      },
    };
  });
}
