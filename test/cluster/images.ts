/** Which program an image's name stands for: there is nothing here that could pull and unpack one. */
import { chownSync, mkdirSync, symlinkSync } from "node:fs";
import path from "node:path";
import { installEntrance } from "../../infra/kubernetes/install.ts";
import { installNode } from "../../infra/openresty/install.ts";
import { root } from "../../infra/wrangler.ts";
import type { Programs } from "./programs.ts";

/** What it runs where the container has no command of its own. */
export type Images = Readonly<Record<string, readonly string[]>>;

const app = path.join(import.meta.dirname, "app.ts");

const entrance = "/opt/entrance";
const node = "/opt/entrance-node";
/** As the image has it, for a user that is not root: `nobody`, whom every system knows, for the image's `entrance`. */
const nodeFolders = ["", "logs", "state"].map((name) => path.join("/var/lib/entrance-node", name));
const nobody = 65_534;

/** Lays out what the images of Entrance and of a node have, where they have it. */
export async function installPrograms({ etcd }: Programs): Promise<Images> {
  await Promise.all([installEntrance(entrance), installNode(node)]);
  for (const folder of nodeFolders) {
    mkdirSync(folder, { recursive: true });
    chownSync(folder, nobody, nobody);
  }
  symlinkSync(`${root}node_modules`, path.join(entrance, "node_modules"));
  return {
    /** The applications of the tests, by APP_KIND and APP_PORT. */
    "test/app": [process.execPath, app],
    entrance: [process.execPath, "--enable-source-maps", path.join(entrance, "node.js")],
    agnhost: [process.execPath, path.join(import.meta.dirname, "agnhost.ts")],
    etcd: [etcd],
    "entrance-node": [path.join(node, "entrance-node")],
  };
}

/** Without the registry and the tag. */
export function programOf(images: Images, image: string): readonly string[] {
  const name = image.replace(/[:@].*$/, "");
  const found = Object.entries(images).find(([known]) => name === known || name.endsWith(`/${known}`));
  if (found === undefined) throw new Error(`no program is known for the image ${image}`);
  return found[1];
}
