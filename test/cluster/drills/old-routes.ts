/** Two routes that are served before a fault: while it lasts one is deleted and the other one leads elsewhere. */
import { ingress } from "../objects.ts";
import type { World } from "../world.ts";
import { leadsTo } from "./drill.ts";

export class OldRoutes {
  readonly goes: string;
  readonly moves: string;
  readonly #world: World;
  readonly #within: string;
  readonly #name: string;

  private constructor(world: World, within: string, name: string) {
    this.#world = world;
    this.#within = within;
    this.#name = name;
    this.goes = `${name}-goes.${within}.example`;
    this.moves = `${name}-moves.${within}.example`;
  }

  /** Both lead to the Service `web` of the namespace. */
  static async serve(world: World, within: string, name: string): Promise<OldRoutes> {
    const made = new OldRoutes(world, within, name);
    await world.apply(made.#ingress("goes", "web"), made.#ingress("moves", "web"));
    await made.areAsBefore();
    return made;
  }

  /** To the Service `two`; may be called again. */
  async change(): Promise<void> {
    const status = await this.#world.api.delete(this.#ingress("goes", "web"));
    if (status !== 200 && status !== 404) throw new Error(`${this.goes} can't be deleted: ${status}`);
    await this.#world.apply(this.#ingress("moves", "two"));
  }

  async areAsBefore(): Promise<void> {
    await leadsTo(this.#world, this.goes, "web");
    await leadsTo(this.#world, this.moves, "web");
  }

  /** Until nothing stale is served. */
  async areChanged(): Promise<void> {
    await this.#world.answers(this.goes, 404);
    await leadsTo(this.#world, this.moves, "two");
  }

  #ingress(which: "goes" | "moves", to: "web" | "two") {
    return ingress(this.#within, `${this.#name}-${which}`, this[which], { to });
  }
}
