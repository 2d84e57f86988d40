/** How often everything is listed: a setting with limits. */
import { expect, test } from "vitest";
import { readConfig } from "../../functions/config.ts";

test("five minutes, or what is set", () => {
  expect(readConfig({}).listMs).toBe(300_000);
  expect(readConfig({ ENTRANCE_LIST_SECONDS: "30" }).listMs).toBe(30_000);
});

test.each(["", "9", "3601", "-30", "30s", "3e2", "999999999"])(
  "%j is told with what it must be, or is the default",
  (text) => {
    const read = () => readConfig({ ENTRANCE_LIST_SECONDS: text }).listMs;
    if (text === "") expect(read()).toBe(300_000);
    else expect(read).toThrow("ENTRANCE_LIST_SECONDS must be 10 to 3600");
  },
);
