/** Who may call: with two tokens set, on loopback. */
import { expect, test } from "vitest";
import { eventList, review, service } from "../../observe/wire.ts";
import { type Caller, webhooks } from "../caller.ts";

const token = "a-token-of-the-tests";
const oldToken = "the-old-token-of-tests";

export const tokens = `${token},${oldToken}`;

export function tokenCases(caller: () => Caller): void {
  async function call(path: string, authorization: string | undefined): Promise<number> {
    const body = path === "/audit" ? eventList() : review("CREATE", "Service", { object: service() });
    const headers = authorization === undefined ? {} : { authorization };
    const answer = await caller().fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
    if (answer.status === 401) expect(answer.headers.get("www-authenticate")).toBe("Bearer");
    await answer.body?.cancel();
    return answer.status;
  }

  test("without a token, or with a wrong one, every webhook is 401", async () => {
    for (const path of ["/admission", "/audit", "/resync"]) {
      for (const wrong of [undefined, "Bearer wrong", `Basic ${token}`, `Bearer ${token}x`, "Bearer ", token]) {
        expect(await call(path, wrong), `${path} ${wrong}`).toBe(401);
      }
    }
    expect(await call("/admission/wrong", undefined)).toBe(401);
    expect(await call(`/admission/wrong`, "Bearer wrong")).toBe(401);
  });

  test("either of two valid tokens is enough, in the header or in the path of admission", async () => {
    for (const path of webhooks) {
      expect(await call(path, `Bearer ${token}`)).toBe(200);
      expect(await call(path, `Bearer ${oldToken}`)).toBe(200);
    }
    expect(await call(`/admission/${token}`, undefined)).toBe(200);
  });

  test("nothing is taken from a page of the web, whatever its token", async () => {
    for (const path of ["/audit", "/admission", "/resync", "/store"]) {
      const headers = { authorization: `Bearer ${token}`, origin: "https://shop.example" };
      // An answer before all of it was sent would be lost with the connection.
      const body = JSON.stringify({ ...eventList(), padding: "-".repeat(1_000_000) });
      const answer = await caller().fetch(path, { method: "POST", headers, body });
      expect(answer.status, path).toBe(400);
      expect(await answer.json()).toMatchObject({ error: "invalid", message: expect.stringContaining("Origin") });
    }
  });

  test("health needs none, views on loopback neither, and nothing says what the token is", async () => {
    for (const path of ["/healthz", "/readyz", "/status", "/metrics", "/"]) {
      const answer = await caller().fetch(path);
      expect(answer.status).toBe(caller().isOpen && !path.endsWith("z") ? 401 : 200);
      expect(await answer.text()).not.toContain("token-of");
    }
    expect((await caller().stored()) + caller().printed()).not.toContain("token-of");
  });
}
