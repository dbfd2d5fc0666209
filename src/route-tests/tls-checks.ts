import type { TlsSeen } from "../explain/explanation.js";
import type { TlsExpectation } from "../schema/route-tests.js";
import type { Check } from "./check.js";
import type { Observed } from "./observed.js";

export function tlsChecks(
  wanted: TlsExpectation,
  { tls, outcome, summary }: Observed,
  isNegated: boolean,
): Check[] {
  const form = outcome === "closed" && !tls ? summary : describe(tls);
  if (typeof wanted === "string") {
    const isIt = wanted === "none" ? tls === undefined && outcome !== "closed" : tls === "passthrough";
    return [{ field: "tls", expected: `TLS ${wanted}`, found: form, holds: isIt !== isNegated }];
  }
  const checks: Check[] = [];
  const add = (field: string, expected: string | undefined, found: string, isSame: boolean): void => {
    if (expected !== undefined)
      checks.push({
        field: `tls.${field}`,
        expected: `${words[field]} ${expected}`,
        found,
        holds: isSame !== isNegated,
      });
  };
  const fields = typeof tls === "object" ? tls : undefined;
  const { certificate, minimumVersion, clientCertificate } = wanted;
  const names = fields?.certificates;
  add(
    "certificate",
    certificate,
    fields ? describeNames(names) : form,
    names?.includes(certificate ?? "") ?? false,
  );
  add("minimumVersion", minimumVersion, fields?.minimum ?? form, fields?.minimum === minimumVersion);
  const client = fields?.clientCertificate;
  add("clientCertificate", clientCertificate, client ?? form, client === clientCertificate);
  return checks;
}

const words: Readonly<Record<string, string>> = {
  certificate: "the certificate of Secret",
  minimumVersion: "TLS from version",
  clientCertificate: "client certificate",
};

const describeNames = (names: readonly string[] | undefined): string =>
  names?.length ? `the certificate of Secret ${names.join(", ")}` : "a certificate of an unknown Secret";

function describe(tls: TlsSeen | undefined): string {
  if (!tls) return "no TLS";
  return tls === "passthrough" ? "TLS passthrough" : `TLS ends here with ${describeNames(tls.certificates)}`;
}
