/** How members are checked, as a Service asks for it. */
import { activeHealthSchema, type Health, passiveHealthSchema } from "../../model/health.ts";
import { type Annotations, numberIn } from "../wish/annotations.ts";

const durationForm = "a duration such as 5s or 500ms";
const asIs = (text: string) => text;

/** `health-path`, `health-type` and what goes with them; `max-failures`, `failure-time`. */
export function healthOf(annotations: Annotations): Health | undefined {
  const [active, passive] = [activeOf(annotations), passiveOf(annotations)];
  if (active === undefined && passive === undefined) return undefined;
  return { ...(active && { active }), ...(passive && { passive }) };
}

function activeOf(annotations: Annotations): Health["active"] {
  const { entries } = activeHealthSchema;
  for (const name of ["host", "interval", "timeout", "healthy", "unhealthy", "statuses"]) {
    annotations.needs(`health-${name}`, "health-path", "health-type");
  }
  const path = annotations.readAs("health-path", "a path such as /healthz", entries.path, asIs);
  const type = annotations.readAs("health-type", "http, grpc or tcp", entries.type, asIs);
  const host = annotations.readAs("health-host", "a host name", entries.host, (text) => text.toLowerCase());
  const interval = annotations.readAs("health-interval", durationForm, entries.interval, asIs);
  const timeout = annotations.readAs("health-timeout", durationForm, entries.timeout, asIs);
  const healthy = annotations.readAs("health-healthy", "a number of answers", entries.healthy, numberIn);
  const unhealthy = annotations.readAs("health-unhealthy", "a number of answers", entries.unhealthy, numberIn);
  const statuses = annotations.readAs("health-statuses", "such as 200-299,401", entries.statuses, (text) =>
    text.replaceAll(/\s/g, ""),
  );
  for (const [name, told] of Object.entries({ path, host, statuses })) {
    if (told !== undefined && type !== undefined && type !== "http") {
      annotations.refuse(`health-${name}`, told, `means nothing to health-type ${type}; leave one of them out`);
    }
  }
  if (path === undefined && type === undefined) return undefined;
  return {
    type: type ?? "http",
    ...(path && { path }),
    ...(host && { host }),
    ...(interval && { interval }),
    ...(timeout && { timeout }),
    ...(healthy && { healthy }),
    ...(unhealthy && { unhealthy }),
    ...(statuses && { statuses }),
  };
}

function passiveOf(annotations: Annotations): Health["passive"] {
  const { entries } = passiveHealthSchema;
  const failures = annotations.readAs("max-failures", "a number of failures, 0 for none", entries.failures, numberIn);
  const time = annotations.readAs("failure-time", durationForm, entries.for, asIs);
  if (failures === undefined && time === undefined) return undefined;
  return { ...(failures !== undefined && { failures }), ...(time && { for: time }) };
}
