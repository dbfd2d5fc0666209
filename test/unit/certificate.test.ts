import { describe, expect, it } from "vitest";
import { warnOfCertificate } from "../../src/graph/certificates/certificate.js";
import { readServerCertificate } from "../../src/graph/certificates/server-certificate.js";
import { createReport } from "../../src/graph/core/reader.js";
import { findingsAt } from "../../src/schema/meta.js";
import { certificate, certificateFile } from "../support/backend.js";

const factsOf = (pem: string) =>
  readServerCertificate(atob(pem.replace(/-----[^-]+-----|\s/g, ""))).certificate?.facts;
const day = Date.UTC(2030, 0, 1);

function warnings(
  facts: Partial<{ names: string[]; validFrom: number; validUntil: number }>,
  host: string,
  now = day,
) {
  const report = createReport();
  const fact = {
    names: ["a.test"],
    validFrom: 0,
    validUntil: Number.MAX_SAFE_INTEGER / 2,
    ...facts,
  };
  warnOfCertificate(
    { certificate: "", privateKey: "", facts: [fact], usual: true },
    { about: "HTTPProxy/x/y", path: "p", secret: { namespace: "x", name: "s" }, host },
    report,
  );
  return [...findingsAt(now, report.findings)].map(({ reason }) => reason);
}

describe("facts of a certificate", () => {
  it("include its alternative names and times", () => {
    const facts = factsOf(certificate("secure").cert);
    expect(facts?.names).toEqual(["secure.test", "also-secure.test"]);
    expect(facts?.validFrom).toBeLessThan(Date.UTC(2026, 11, 1));
    expect(facts?.validUntil).toBeGreaterThan(Date.UTC(2100, 0, 1));
  });

  it("include its common name if it has no alternative names", () => {
    expect(factsOf(certificateFile("expired.crt"))?.names).toEqual(["poison.test"]);
  });
});

describe("a certificate", () => {
  it.each([
    ["a.test", ["a.test"], true],
    ["a.test", ["b.test", "a.test"], true],
    ["x.a.test", ["*.a.test"], true],
    ["*.a.test", ["*.a.test"], true],
    ["*", ["a.test"], true],
    ["a.test", ["*.a.test"], false],
    ["y.x.a.test", ["*.a.test"], false],
    ["*.a.test", ["x.a.test"], false],
    ["a.test", [], false],
  ])("for the host %s may have the names %j: %s", (host, names, good) => {
    expect(warnings({ names }, host)).toEqual(good ? [] : ["CertificateNameMismatch"]);
  });

  it("with arbitrary bytes is shown with few printable characters", () => {
    const report = createReport();
    const fact = { names: [`a\0\x1b\n${"x".repeat(1000)}`], validFrom: 0, validUntil: day };
    warnOfCertificate(
      { certificate: "", privateKey: "", facts: [fact], usual: true },
      { about: "HTTPProxy/x/y", path: "p", secret: { namespace: "x", name: "s" }, host: "a.test" },
      report,
    );
    expect(report.findings[0]?.message).toContain(`is for a???${"x".repeat(249)}, not for a.test`);
  });

  it("causes a warning before and after its validity", () => {
    const facts = { validFrom: day - 10, validUntil: day + 10 };
    expect(warnings(facts, "a.test")).toEqual([]);
    expect(warnings(facts, "a.test", day - 11)).toEqual(["CertificateOutOfDate"]);
    expect(warnings(facts, "a.test", day + 11)).toEqual(["CertificateOutOfDate"]);
  });
});
