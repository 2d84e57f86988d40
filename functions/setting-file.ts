/** Files that settings name. Each throws `misconfigured` with the setting's name. */
import { readFileSync } from "node:fs";
import { namesFile } from "./named-file.ts";
import type { Pem } from "./pem.ts";
import { failSetting } from "./setting.ts";

export function readText(setting: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return failSetting(setting, namesFile(file, "is not there or may not be read"));
  }
}

export function readPem(setting: string, pem: Pem): string {
  const text = "text" in pem ? pem.text : readText(setting, pem.file);
  return text.includes("-----BEGIN ") ? text : failSetting(setting, "names something that is no PEM");
}
