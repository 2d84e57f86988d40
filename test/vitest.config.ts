import { defineConfig } from "vitest/config";

/** Real servers are started by tests, so files run one after another on small machines unless asked otherwise. */
export default defineConfig({
  test: {
    root: new URL("..", import.meta.url).pathname,
    include: ["test/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
  },
});
