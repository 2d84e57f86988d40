/** Who is translated again when an object changes, and what they claim of it. */
import * as v from "valibot";
import { parseReferenceKey, type Reference } from "../model/reference.ts";
import type { Entry, Store } from "../store/port.ts";
import type { Claim, ClaimOfUser } from "../translate/translation.ts";
import { usersPartition } from "./keys.ts";
import { listAll } from "./list-all.ts";
import { readRecord } from "./record.ts";

const schema = v.object({ claim: v.nullable(v.custom<Claim>((input) => typeof input === "object" && input !== null)) });

export interface User {
  readonly reference: Reference;
  readonly claim: Claim | null;
}

export function userText(claim: Claim | null): string {
  return JSON.stringify({ claim });
}

/** All users of an object, in order of their keys. */
export async function listUsers(store: Store, of: Reference): Promise<User[]> {
  return usersIn(await listAll(store, usersPartition(of)));
}

/** The users that a partition's entries are. */
export function usersIn(entries: readonly Entry[]): User[] {
  return entries.flatMap((entry) => {
    const reference = parseReferenceKey(entry.key.sort);
    return reference === undefined ? [] : [{ reference, claim: readRecord(schema, entry).claim }];
  });
}

export function claimsOf(users: readonly User[], key: (reference: Reference) => string): ClaimOfUser[] {
  return users.flatMap(({ reference, claim }) => (claim === null ? [] : [{ user: key(reference), claim }]));
}
