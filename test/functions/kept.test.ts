/** What Entrance serves with and gives the nodes: what is due when, and whom to trust meanwhile. */
import { X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { due, isGood, type Kept, withAuthority, withFormer } from "../../functions/serving/kept.ts";
import { makeAuthority, makeServing, type Pair } from "../../functions/serving/make.ts";

const names = ["entrance.entrance.svc", "entrance.entrance.svc.cluster.local"];
const now = Date.UTC(2026, 0, 1);
const dayMs = 86_400_000;

function keptOf(authority: Pair, serving: Pair): Kept {
  return {
    "ca.crt": authority.certificate,
    "ca.key": authority.key,
    "tls.crt": serving.certificate,
    "tls.key": serving.key,
  };
}

async function made(at = now): Promise<{ authority: Pair; kept: Kept }> {
  const authority = await makeAuthority(at);
  return { authority, kept: keptOf(authority, await makeServing(authority, names, at)) };
}

test("a certificate is renewed a month before its end, an authority a year before", async () => {
  const { kept } = await made();
  expect(due(kept, names, now)).toBeUndefined();
  expect(due(kept, names, now + 59 * dayMs)).toBeUndefined();
  expect(due(kept, names, now + 61 * dayMs)).toBe("serving");
  expect(due(kept, names, now + 3_300 * dayMs)).toBe("authority");
});

test("what is missing, of another name, or does not fit is due", async () => {
  const { authority, kept } = await made();
  const other = await made();
  expect(due({}, names, now)).toBe("authority");
  expect(due({ ...kept, "ca.key": other.authority.key }, names, now)).toBe("authority");
  expect(due({ ...kept, "ca.crt": "no certificate" }, names, now)).toBe("authority");
  expect(due({ ...kept, "tls.key": other.kept["tls.key"] }, names, now)).toBe("serving");
  expect(due(kept, ["entrance.edge.svc"], now)).toBe("serving");
  expect(due({ ...kept, "tls.crt": other.kept["tls.crt"], "tls.key": other.kept["tls.key"] }, names, now)).toBe(
    "serving",
  );
  expect(isGood(kept, authority.certificate, names, now)).toBe(true);
});

test("a new authority is trusted beside the one that signed what is served", async () => {
  const { kept } = await made();
  const later = now + 3_300 * dayMs;
  const next = await makeAuthority(later);
  const bundle = withAuthority(kept, next.certificate, later);
  expect(fingerprints(bundle)).toHaveLength(2);
  expect(
    withAuthority({ "ca.crt": bundle }, (await makeAuthority(later)).certificate, later).match(/BEGIN/g),
  ).toHaveLength(2);
  // The first one ends.
  expect(fingerprints(withAuthority(kept, next.certificate, now + 4_000 * dayMs))).toHaveLength(1);
});

test("whoever signed for nodes before an installation anew stays trusted there, two of them at most", async () => {
  let bundle = "";
  const all: string[] = [];
  for (let round = 0; round < 5; round += 1) {
    const { certificate } = await makeAuthority(now);
    all.unshift(new X509Certificate(certificate).fingerprint256);
    bundle = withFormer(certificate, bundle, now);
    // Looked at again, it stays as it is.
    expect(withFormer(certificate, bundle, now)).toBe(bundle);
    expect(fingerprints(bundle)).toEqual(all.slice(0, 3));
  }
  const fresh = await makeAuthority(now + 4_000 * dayMs);
  expect(fingerprints(withFormer(fresh.certificate, bundle, now + 4_000 * dayMs))).toHaveLength(1);
  expect(fingerprints(withFormer(fresh.certificate, "nonsense", now))).toHaveLength(1);
});

/** Fingerprints of a bundle's certificates. */
function fingerprints(bundle: string): string[] {
  const blocks = bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block).fingerprint256);
}
