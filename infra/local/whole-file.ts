/** A file that is either as it was or as it should be, also when the power goes in between. */
import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from "node:fs";

export function writeWhole(file: string, text: string, mode: number): void {
  const draft = `${file}.${process.pid}`;
  const descriptor = openSync(draft, "w", mode);
  try {
    writeFileSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(draft, file);
}
