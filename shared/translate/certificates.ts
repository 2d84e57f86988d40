/** The certificates of routes: claims on the Secrets that hold them, and whether they fit the hosts. */
import { hostCovers } from "../model/host.ts";
import { describeReference, type Reference, referenceKey } from "../model/reference.ts";
import { parseResourceKey } from "../model/resource-key.ts";
import type { Answers } from "./answers.ts";
import { refusal, remark } from "./problem.ts";
import type { Problem, Read } from "./translation.ts";

interface Certified {
  readonly host: string;
  /** Keys of Certificate resources. */
  readonly certificates: readonly string[];
}

function secretOf(certificate: string): Reference {
  const [namespace = "", name = ""] = parseResourceKey(certificate)?.segments ?? [];
  return { kind: "Secret", namespace, name };
}

/** One claim for each Secret. They come before those on hosts, so that a certificate is there before its Domain says so. */
export function certificateReads(routes: readonly Certified[], balancers: readonly string[]): Read[] {
  const certificates = new Set(routes.flatMap((route) => route.certificates));
  return [...certificates].map((key) => ({ reference: secretOf(key), claim: { type: "certificate", balancers } }));
}

/** Takes back what was claimed for hosts that somebody else holds. */
export function needlessReads(claimed: readonly Read[], granted: readonly Certified[]): Read[] {
  const needed = new Set(granted.flatMap((route) => route.certificates.map((key) => referenceKey(secretOf(key)))));
  return claimed
    .filter(({ reference }) => !needed.has(referenceKey(reference)))
    .map(({ reference }) => ({ reference, claim: { type: "certificate", balancers: [] } }));
}

/** At most so many of a certificate's names are told. */
const toldNames = 5;

/**
 * A host that no certificate of its is good for, once all of them are known, is refused. Every host (`*`) takes any. Who
 * is not known yet may come later, and then this is gone through again.
 */
export function certificateProblems(routes: readonly Certified[], answers: Answers): Problem[] {
  return [...Map.groupBy(routes, ({ host }) => host)].flatMap(([host, ofHost]) => {
    const secrets = [...new Set(ofHost.flatMap((route) => route.certificates))].map(secretOf);
    const found = secrets.map((reference) => ({
      name: describeReference(reference),
      why: answers.whyNot(reference),
      secret: answers.secret(reference),
    }));
    const unfit: string[] = [];
    const problems: Problem[] = [];
    for (const { name, why, secret } of found) {
      const names = secret?.certificate?.names;
      if (secret === undefined) problems.push(remark(`${name} ${why}: its certificate is used once it is`));
      else if (names === undefined) problems.push(remark(`${name} has no certificate that could be used`));
      else if (host !== "*" && !names.some((pattern) => hostCovers(pattern, host))) {
        unfit.push(`the certificate in ${name} is for ${listed(names)} and not for ${host}`);
      }
    }
    const covers = problems.length > 0 || unfit.length < found.length;
    const change = "name another Secret, or have a certificate issued for this host, too";
    return [...problems, ...unfit.map((fault) => (covers ? remark : refusal)(`${fault}: ${change}`))];
  });
}

function listed(names: readonly string[]): string {
  if (names.length === 0) return "no host";
  const more = names.length > toldNames ? ` and ${names.length - toldNames} more` : "";
  return names.slice(0, toldNames).join(", ") + more;
}
