/** A port that cannot be opened is named with what to change. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, test } from "vitest";
import { portFaults } from "../../infra/local/ports.ts";
import { readSettings } from "../../infra/local/settings.ts";

test("a port in use is named with its holder and the setting", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const [fault, ...more] = await portFaults([{ setting: "ENTRANCE_LISTEN", host: "127.0.0.1", port }]);
  expect(fault).toMatch(new RegExp(`^Port ${port} is in use by .+ \\(process ${process.pid}\\)\\.`));
  expect(fault).toContain("Set ENTRANCE_LISTEN to another one, for example 127.0.0.1:8788.");
  expect(more).toEqual([]);
  server.close();
});

test("two settings with one port are told before anything is opened", async () => {
  const { ports } = readSettings({ ENTRANCE_NODE_HTTP_PORT: "10002" });
  expect(await portFaults(ports)).toEqual([
    "ENTRANCE_NODE_ADMIN_PORT and ENTRANCE_NODE_HTTP_PORT both name port 10002: change one of them.",
  ]);
});

test("an address that this machine does not have is told", async () => {
  const [fault] = await portFaults([{ setting: "ENTRANCE_LISTEN", host: "192.0.2.1", port: 8787 }]);
  expect(fault).toContain("192.0.2.1:8787 cannot be opened (EADDRNOTAVAIL)");
});

test.each([
  [{ ENTRANCE_LISTEN: "8787" }, "ENTRANCE_LISTEN must be ADDRESS:PORT"],
  [{ ENTRANCE_NODE_HTTP_PORT: "99999" }, "ENTRANCE_NODE_HTTP_PORT must be a port from 1 to 65535"],
  [{ ENTRANCE_NODE_WORKERS: "none" }, "ENTRANCE_NODE_WORKERS must be a number from 1 to 99"],
  [{ ENTRANCE_TLS_CERT: "cert.pem" }, "ENTRANCE_TLS_KEY must name a file"],
])("a setting that cannot be used is named: %o", (environment, sentence) => {
  expect(() => readSettings(environment)).toThrow(sentence);
});
