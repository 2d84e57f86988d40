/** Who has which address: all of them on the loopback link of a network namespace, none of them a loopback address. */
import { execFileSync } from "node:child_process";

export const apiserverAddress = "10.10.0.1";
export const apiserverPort = 6443;
/** The one machine of this cluster. */
export const nodeAddress = "10.10.0.2";
export const serviceRange = "10.96.0.0/16";
/** The first of them: the Service `kubernetes`. */
export const apiServiceAddress = "10.96.0.1";

export function addAddress(address: string): void {
  execFileSync("ip", ["addr", "replace", `${address}/32`, "dev", "lo"]);
}

export function removeAddress(address: string): void {
  execFileSync("ip", ["addr", "del", `${address}/32`, "dev", "lo"]);
}

/** 10.10.1.1, 10.10.1.2, …: one for each pod, none twice. */
export class PodAddresses {
  #last = 0;

  next(): string {
    this.#last += 1;
    const address = `10.10.${1 + Math.floor(this.#last / 250)}.${(this.#last % 250) + 1}`;
    addAddress(address);
    return address;
  }
}
