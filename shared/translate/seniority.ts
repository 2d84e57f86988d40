/** Who comes first among claims of one name: the oldest object, then namespace/name, then kind. */
export interface Senior {
  readonly created: string;
  /** referenceKey of the claimant: KIND/NAMESPACE/NAME. */
  readonly user: string;
}

export function bySeniority(a: Senior, b: Senior): number {
  return (
    compareText(a.created, b.created) || compareText(nameIn(a.user), nameIn(b.user)) || compareText(a.user, b.user)
  );
}

function nameIn(user: string): string {
  return user.slice(user.indexOf("/") + 1);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
