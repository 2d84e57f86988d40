/** The API of the model apiserver, as one copy of Entrance reaches it. */

import type { Cluster, ListPage } from "../../shared/kubernetes/port.ts";
import { EntranceError } from "../../shared/model/error.ts";
import { seenKinds } from "../../shared/model/reference.ts";
import type { Apiserver } from "./apiserver.ts";
import type { Caller } from "./caller.ts";
import type { Random } from "./random.ts";
import type { Time } from "./time.ts";
import type { WireObject } from "./wire.ts";

/** The client gives up after so long. */
const timeoutMs = 10_000;

interface Listing {
  readonly resourceVersion: string;
  readonly items: readonly WireObject[];
}

/** `onRead` hears of each object that is about to be told. */
export function clusterFor(
  caller: Caller,
  apiserver: Apiserver,
  time: Time,
  random: Random,
  onRead: (key: string) => void,
): Cluster {
  const found = (key: string) => {
    const object = apiserver.objects.get(key);
    if (object !== undefined) onRead(key);
    return object;
  };
  /** Pages of one LIST are of one moment. */
  const listings = new Map<string, Listing>();
  let tokens = 0;
  /**
   * As it was when the LIST of all kinds began: one in whose middle an API begins or ceases to list nothing may have no
   * more ends than are believed at once.
   */
  let { isEmpty } = apiserver;
  const answers = () => {
    if (apiserver.isAway) throw new EntranceError("unavailable", "the API does not answer");
  };
  const allows = (kind: string, verb: "get" | "list") => {
    const mayNot = (kind === "Secret" && apiserver.isClosed) || (verb === "get" && apiserver.forbidsGet);
    if (mayNot) throw new EntranceError("forbidden", `may not ${verb} ${kind}`);
  };
  const slow = () => (apiserver.isAway && random.one(2) ? timeoutMs : 0);
  return {
    wait: (ms) => new Promise((resolve) => void time.after(ms, () => caller.go(resolve))),
    api: {
      clusterId: () =>
        caller.call("GET kube-system", slow(), () => {
          answers();
          return apiserver.clusterId;
        }),
      get: (kind, { namespace, name }) =>
        caller.call(`GET ${kind} ${namespace}/${name}`, slow(), () => {
          answers();
          allows(kind, "get");
          return found(`${kind}/${namespace}/${name}`);
        }),
      list: (kind, limit, { after, named } = {}) =>
        caller.call(
          `LIST ${kind} ${named === undefined ? (after ?? "") : `${named.namespace}/${named.name}`}`,
          slow(),
          () => {
            answers();
            allows(kind, "list");
            if (named !== undefined) {
              const { namespace, name } = named;
              const item = found(`${kind}/${namespace}/${name}`);
              return page({ resourceVersion: apiserver.version, items: item === undefined ? [] : [item] }, 0, 1, "");
            }
            const [token = "", place = "0"] = (after ?? "").split("@");
            const known = listings.get(token);
            if (after !== undefined && (known === undefined || random.one(40))) {
              throw new EntranceError("unavailable", "the API no longer has this page");
            }
            // Of the first kind one item alone is asked for where it is about the version.
            if (kind === seenKinds[0] && after === undefined && limit > 1) isEmpty = apiserver.isEmpty;
            tokens += 1;
            const name = known === undefined ? `list-${tokens}` : token;
            const listing = known ?? everythingOf(apiserver, kind, isEmpty);
            listings.set(name, listing);
            return page(listing, Number(place), Math.min(limit, apiserver.pageSize), name);
          },
        ),
    },
  };
}

function everythingOf({ objects, version }: Apiserver, kind: string, isEmpty: boolean): Listing {
  if (isEmpty) return { resourceVersion: version, items: [] };
  const keys = [...objects.keys()].filter((key) => key.startsWith(`${kind}/`)).sort();
  return { resourceVersion: version, items: keys.flatMap((key) => objects.get(key) ?? []) };
}

function page({ resourceVersion, items }: Listing, place: number, limit: number, token: string): ListPage {
  const end = place + limit;
  return {
    resourceVersion,
    // As typed lists have them.
    items: items.slice(place, end).map(({ kind: _, apiVersion: __, ...item }) => item),
    next: end < items.length ? `${token}@${end}` : undefined,
  };
}
