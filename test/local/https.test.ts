/** HTTPS and sign-in by `npm run apply`, with the seal key that `npm start` makes. */
import { globSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startBackend } from "../harness/backend.ts";
import { makeCertificate } from "../harness/certificate.ts";
import { requestTls } from "../harness/https.ts";
import { Installation, until } from "./installation.ts";

let here: Installation;

beforeEach(async () => {
  here = await Installation.make();
});

afterEach(() => here.remove());

const password = "Correct-Horse-9-Battery";

test("a Secret is sealed in Entrance's store, served with by the node, and outlives a restart", async () => {
  await using backend = await startBackend("web");
  const { chain, key } = makeCertificate(["secure.localhost"]);
  const indented = (text: string) => text.trim().replaceAll("\n", "\n    ");
  const yaml = `
apiVersion: v1
kind: Secret
metadata: {name: web-tls, namespace: mine}
type: kubernetes.io/tls
stringData:
  tls.crt: |
    ${indented(chain)}
  tls.key: |
    ${indented(key)}
---
apiVersion: v1
kind: Secret
metadata: {name: ann, namespace: mine}
type: kubernetes.io/basic-auth
stringData: {username: ann, password: ${password}}
---
apiVersion: v1
kind: Service
metadata:
  name: web
  namespace: mine
  annotations: {entrance.dev/https: secure.localhost, entrance.dev/certificate: web-tls, entrance.dev/auth-secret: ann}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-local, namespace: mine, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{name: http, port: ${backend.port}}]
endpoints: [{addresses: [127.0.0.1]}]
`;
  const port = Number(here.env["ENTRANCE_NODE_HTTPS_PORT"]);
  const authorization = `Basic ${Buffer.from(`ann:${password}`).toString("base64")}`;
  const ask = () => requestTls(port, "secure.localhost", "/", { headers: { authorization } });

  const first = await here.start("--empty");
  expect(await here.run("infra/local/apply.ts", ["-"], yaml)).toMatchObject({ code: 0 });
  await until(async () => (await ask().catch(() => undefined))?.status === 200, "it is served by https");
  expect((await ask()).certificate.subject).toBe("CN=secure.localhost");
  expect((await requestTls(port, "secure.localhost")).status).toBe(401);
  await first.stop();

  expect(statSync(path.join(here.data, "cluster.db")).mode & 0o777).toBe(0o600);
  const [line = ""] = key.split("\n").slice(1);
  const stored = globSync("worker/**/*", { cwd: here.data, withFileTypes: true }).filter((file) => file.isFile());
  const bytes = stored.map((file) => readFileSync(path.join(file.parentPath, file.name), "latin1")).join("\n");
  expect(bytes).toContain("web-tls");
  for (const text of [line, Buffer.from(line).toString("base64").slice(0, -4), password, "$2b$"]) {
    expect(bytes.includes(text)).toBe(false);
    expect(first.output.includes(text)).toBe(false);
  }

  const second = await here.start("--empty");
  await until(async () => (await ask().catch(() => undefined))?.status === 200, "it is served again");
  const status = (await (await fetch(`${here.url}/status`)).json()) as { certificates: unknown[]; refused: unknown[] };
  expect(status.certificates).toMatchObject([{ secret: "web-tls", hosts: ["secure.localhost"] }]);
  expect(status.refused).toEqual([]);
  await second.stop();
});
