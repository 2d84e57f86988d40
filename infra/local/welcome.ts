/** What `npm start` prints when everything runs: lines that can be typed as they are. */
import type { Settings } from "./settings.ts";

export function welcome({ url, loopback, node, tls }: Settings, withSamples: boolean): string {
  const curl = `curl${tls === undefined ? "" : ` --cacert ${tls.certificate}`}${loopback ? "" : ` -H 'authorization: Bearer TOKEN'`}`;
  const rows = [
    ...(withSamples
      ? [
          ["a sample by Rainbond's labels", `curl http://shop.localhost:${node.http}/`],
          ["a sample by an Ingress", `curl http://blog.localhost:${node.http}/`],
          [
            "give the blog another name",
            "sed s/blog.localhost/news.localhost/ infra/local/samples/blog.yaml | npm run -s apply -- -",
          ],
          ["and the node has followed", `curl http://news.localhost:${node.http}/`],
        ]
      : [["send objects of your own", "npm run -s apply -- FILE.yaml"]]),
    ["where applications answer", `http on port ${node.http}, https on port ${node.https}`],
    ["what Entrance knows", `${curl} ${url}/status`],
    ["the same, to look at", `${url}/`],
  ] as const;
  const width = Math.max(...rows.map(([what]) => what.length));
  const lines = rows.map(([what, line]) => `  ${what.padEnd(width)}   ${line}`);
  return ["", "Entrance is running. Try:", "", ...lines, "", "Ctrl-C ends everything.", ""].join("\n");
}
