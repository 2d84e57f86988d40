/** Who is translated again when an object changes, and what they claim of it. */
import * as v from "valibot";
import { parseReferenceKey, type Reference } from "../model/reference.ts";
import { maxPageSize, type Store } from "../store/port.ts";
import type { Claim, ClaimOfUser } from "../translate/translation.ts";
import { usersPartition } from "./keys.ts";
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
  const users: User[] = [];
  let after: string | undefined;
  do {
    const page = await store.list(usersPartition(of), after, maxPageSize);
    for (const entry of page.entries) {
      const reference = parseReferenceKey(entry.key.sort);
      if (reference !== undefined) users.push({ reference, claim: readRecord(schema, entry).claim });
    }
    after = page.next;
  } while (after !== undefined);
  return users;
}

export function claimsOf(users: readonly User[], key: (reference: Reference) => string): ClaimOfUser[] {
  return users.flatMap(({ reference, claim }) => (claim === null ? [] : [{ user: key(reference), claim }]));
}
