/** The doors in this process as an API server's webhooks. */
import type { Webhooks } from "../../infra/local/webhooks.ts";
import { post, type TestDoors } from "./doors.ts";

/** Not `reviewed`: the admission webhook was not reached, and the write passes. */
export function webhooksOf(doors: TestDoors, reviewed: boolean): Webhooks {
  return {
    review: async (body) => {
      if (!reviewed) return { allowed: true, message: "", warnings: [] };
      const answer = await post(doors, "/admission", body);
      const { response } = (await answer.json()) as {
        response: { allowed: boolean; status?: { code: number; message: string }; warnings?: string[] };
      };
      const message = `${response.status?.code ?? ""} ${response.status?.message ?? ""}`;
      return { allowed: response.allowed, message, warnings: response.warnings ?? [] };
    },
    audit: async (body) => {
      const answer = await post(doors, "/audit", body);
      if (answer.status !== 200) throw new Error(`the audit door answered ${answer.status}`);
    },
  };
}
