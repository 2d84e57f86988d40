/** A password as it is kept and as nodes check it: bcrypt, which crypt(3) knows as $2b$. */
import { hash } from "bcryptjs";

/** Each guess costs a node as much, in a worker that serves others meanwhile: about 15 ms. What is kept is sealed besides. */
const cost = 8;

export function hashPassword(password: string): Promise<string> {
  return hash(password, cost);
}
