/** Tests start real servers, so on a small machine at most two files run at a time. */
import path from "node:path";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: path.join(import.meta.dirname, ".."),
    include: ["test/**/*.test.ts"],
    // On a real kube-apiserver: npm run test:cluster.
    exclude: ["test/cluster/**"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
  },
});
