/** Users and passwords of a Secret. No fault repeats what was written. */
import { maxUsers, passwordHash, userName } from "../model/filter/basic-auth.ts";
import { parseWith } from "../model/parse.ts";
import { SecretText } from "../model/secret-text.ts";
import type { SentUser } from "../model/sent-secret.ts";
import { utf8Length } from "../model/utf8.ts";

export interface Users {
  readonly users: readonly SentUser[];
  /** Sentences: who cannot sign in, and what to change. */
  readonly faults: readonly string[];
}

/** bcrypt reads no more of a password. */
const maxPasswordBytes = 72;
/** More would fill the status and help nobody. */
const maxFaults = 10;

export function parseUser(name: string, password: string): Users {
  const known = parseWith(userName, name);
  if (!known.ok) return { users: [], faults: [`data.username ${known.reason}`] };
  if (password === "" || utf8Length(password) > maxPasswordBytes || /\p{Cc}/u.test(password)) {
    const fault = `data.password must have 1 to ${maxPasswordBytes} bytes and no control characters`;
    return { users: [], faults: [fault] };
  }
  return { users: [{ name: known.value, password: new SecretText(password) }], faults: [] };
}

/** `NAME:HASH` on each line, as htpasswd writes it; of one name the first line counts. */
export function parseUsers(text: string): Users {
  const users = new Map<string, SentUser>();
  const faults: string[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const fault = (reason: string) => faults.push(`data.auth, line ${index + 1}: ${reason}`);
    const entry = line.trim();
    if (entry === "" || entry.startsWith("#")) continue;
    const colon = entry.indexOf(":");
    const name = parseWith(userName, entry.slice(0, Math.max(colon, 0)));
    const hash = parseWith(passwordHash, entry.slice(colon + 1));
    if (!name.ok) fault("must be NAME:HASH");
    else if (!hash.ok) fault(`the hash ${hash.reason} (htpasswd -B -C 10 makes one)`);
    else if (users.has(name.value)) fault("this name is there already");
    else if (users.size === maxUsers) fault(`there are ${maxUsers} users already`);
    else users.set(name.value, { name: name.value, hash: new SecretText(hash.value) });
    if (faults.length === maxFaults) break;
  }
  if (users.size === 0 && faults.length === 0) faults.push("data.auth has no line NAME:HASH");
  return { users: [...users.values()], faults };
}
