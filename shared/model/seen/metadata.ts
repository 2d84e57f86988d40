/** What every seen object has. */
export interface SeenMetadata {
  readonly name: string;
  /** Empty for cluster-wide kinds. */
  readonly namespace: string;
  /** creationTimestamp as the apiserver wrote it: RFC 3339 in UTC, whole seconds. */
  readonly created: string;
}
