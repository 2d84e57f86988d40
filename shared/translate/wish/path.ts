/** Where requests go instead: a rewrite on the way to the backend, or a redirect. */
import type { Filter } from "../../model/filter/filter.ts";
import { hostname } from "../../model/filter/hostname.ts";
import { newPath, type PathChange } from "../../model/filter/path-change.ts";
import { requestRedirectSchema } from "../../model/filter/request-redirect.ts";
import { type Parsed, parseWith } from "../../model/parse.ts";
import { portNumber } from "../../model/port-number.ts";
import type { PathMatch } from "../../model/rule.ts";
import type { Annotations } from "./annotations.ts";
import { numberIn } from "./annotations.ts";

export interface PathWish {
  /** The path that replaces the matched prefix; with `$1`, what a regular expression found. */
  readonly rewriteTarget?: string;
  readonly upstreamHost?: string;
  readonly redirect?: Redirect;
  /** Paths of an Ingress with pathType ImplementationSpecific are regular expressions. */
  readonly usesRegex: boolean;
}

interface Redirect {
  readonly scheme?: "http" | "https";
  readonly hostname?: string;
  readonly port?: number;
  readonly path?: string;
  readonly statusCode: 301 | 302 | 303 | 307 | 308;
}

const redirectForm = "/PATH or http[s]://HOST[:PORT][/PATH]";

/**
 * | annotation                                | value                                             |
 * |-------------------------------------------|---------------------------------------------------|
 * | `rewrite-target`                          | `/PATH` in place of what the path matched         |
 * | `use-regex` (Ingress)                     | `true`: ImplementationSpecific paths are regexes  |
 * | `upstream-vhost`                          | the Host that the backend hears                   |
 * | `permanent-redirect`, `temporal-redirect` | `/PATH` or `http[s]://HOST[:PORT][/PATH]`         |
 * | `redirect-code`                           | another status than 301 and 302                   |
 */
export function pathWishOf(annotations: Annotations, kind: "Service" | "Ingress"): PathWish {
  const usesRegex = annotations.flag("use-regex");
  if (usesRegex && kind === "Service") {
    annotations.refuse("use-regex", "true", "a Service's paths are prefixes; use an Ingress");
  }
  const rewriteTarget = annotations.readAs("rewrite-target", "/PATH", newPath, (text) => text);
  if (rewriteTarget !== undefined && /\$\d/.test(rewriteTarget) && !usesRegex) {
    annotations.refuse("rewrite-target", rewriteTarget, "$1 to $9 need use-regex: add that, or leave them out");
  }
  const upstreamHost = annotations.readAs("upstream-vhost", "HOST", hostname, (text) => text);
  const redirect = redirectOf(annotations);
  if (redirect !== undefined && (rewriteTarget ?? upstreamHost) !== undefined) {
    const name = rewriteTarget === undefined ? "upstream-vhost" : "rewrite-target";
    annotations.refuse(name, rewriteTarget ?? upstreamHost ?? "", "a redirect leaves nothing to rewrite: keep one");
  }
  return {
    usesRegex,
    ...(rewriteTarget === undefined ? {} : { rewriteTarget }),
    ...(upstreamHost === undefined ? {} : { upstreamHost }),
    ...(redirect === undefined ? {} : { redirect }),
  };
}

function redirectOf(annotations: Annotations): Redirect | undefined {
  const permanent = annotations.read("permanent-redirect", redirectForm, parseTarget);
  const temporal = annotations.read("temporal-redirect", redirectForm, parseTarget);
  if (permanent !== undefined && temporal !== undefined) {
    annotations.refuse("temporal-redirect", "", "there is a permanent-redirect, too: keep one");
  }
  const target = permanent ?? temporal;
  const { statusCode } = requestRedirectSchema.entries.requestRedirect.pipe[0].entries;
  const code = annotations.readAs("redirect-code", "301, 302, 303, 307 or 308", statusCode, numberIn);
  if (target === undefined) return undefined;
  return { ...target, statusCode: code ?? (permanent === undefined ? 302 : 301) };
}

function parseTarget(text: string): Parsed<Omit<Redirect, "statusCode">> {
  const [, scheme, host, port, path] = /^(?:(https?):\/\/([^/:?#]+)(?::([0-9]+))?)?(\/.*)?$/.exec(text) ?? [];
  if (host === undefined && path === undefined) return { ok: false, reason: "is no path and no address" };
  const parts = [
    host === undefined ? undefined : parseWith(hostname, host),
    port === undefined ? undefined : parseWith(portNumber, numberIn(port)),
    path === undefined ? undefined : parseWith(newPath, path),
  ];
  for (const part of parts) if (part?.ok === false) return part;
  return {
    ok: true,
    value: {
      ...(scheme === "http" || scheme === "https" ? { scheme } : {}),
      ...(host === undefined ? {} : { hostname: host }),
      ...(port === undefined ? {} : { port: Number(port) }),
      ...(path === undefined ? {} : { path }),
    },
  };
}

/** The filters that this means for a route's path. */
export function pathFilters(wish: PathWish, path: PathMatch): Filter[] {
  const { redirect, rewriteTarget, upstreamHost } = wish;
  if (redirect !== undefined) {
    const { path: target, ...rest } = redirect;
    const change = target === undefined ? {} : { path: { type: "ReplaceFullPath", replaceFullPath: target } as const };
    return [{ type: "RequestRedirect", requestRedirect: { ...rest, ...change } }];
  }
  if (rewriteTarget === undefined && upstreamHost === undefined) return [];
  return [
    {
      type: "URLRewrite",
      urlRewrite: {
        ...(upstreamHost === undefined ? {} : { hostname: upstreamHost }),
        ...(rewriteTarget === undefined ? {} : { path: changeOf(rewriteTarget, path) }),
      },
    },
  ];
}

function changeOf(target: string, path: PathMatch): PathChange {
  if (path.type === "regex") return { type: "ReplaceRegexMatch", replaceRegexMatch: target };
  if (path.type === "exact") return { type: "ReplaceFullPath", replaceFullPath: target };
  return { type: "ReplacePrefixMatch", replacePrefixMatch: target };
}
