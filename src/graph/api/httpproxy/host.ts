import type { HTTPProxy, Reader, Report } from "../../core/reader.js";
import { type HostPolicies, readHostPolicies } from "../../policies/index.js";
import type { VirtualHostFields } from "../../policies/policy.js";
import { fieldReport } from "./field-report.js";
import type { Security } from "./tls.js";

/** Settings of the root of a host for all its routes. */
export interface Host {
  readonly secure: boolean;
  readonly virtualhost: VirtualHostFields | undefined;
  readonly policies: HostPolicies;
  /** Clients need a certificate, which plain HTTP does not support. */
  readonly clientCertificates: boolean;
}

/** Reads `spec.virtualhost` except for its TLS; undefined with a finding if the host can't be served. */
export function readHost(
  proxy: HTTPProxy,
  { tls, passthrough }: Security,
  reader: Reader,
  report: Report,
): Host | undefined {
  const { virtualhost } = proxy.spec;
  const policies = readHostPolicies({
    proxy,
    virtualhost,
    tls: tls ? "terminated" : passthrough ? "passthrough" : "none",
    reader,
    report,
    ...fieldReport(proxy, "spec.virtualhost", report),
  });
  return (
    policies && {
      secure: tls !== undefined || passthrough,
      virtualhost,
      policies,
      clientCertificates: tls?.clientValidation !== undefined,
    }
  );
}
