/** Who an object belongs to: its label `tenant_name` (Rainbond's), else its namespace. */
export function tenantOf(object: {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}): string {
  return object.labels["tenant_name"] || object.namespace;
}
