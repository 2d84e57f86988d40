/** The settings that change what is kept of an object. */
export interface ObserveSettings {
  /** `entrance.dev`: annotations below it are ours. */
  readonly prefix: string;
}
