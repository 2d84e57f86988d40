/** What opens a copy's /status and /resync, of the settings of its pod; empty where none is set. */
export function operatorToken(environment: Readonly<Record<string, string | undefined>>): string {
  const tokens = [environment["ENTRANCE_OPERATOR_TOKEN"], environment["ENTRANCE_WEBHOOK_TOKEN"]];
  const [first = ""] = (tokens.find((each) => each !== undefined && each !== "") ?? "").split(",");
  return first.trim();
}
