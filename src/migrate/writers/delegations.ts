import type { ResultDocument } from "../document.js";
import type { Name, SourcePart } from "../model.js";
import { type Names, shownPart } from "./common.js";

interface Use {
  readonly secret: Name;
  /** The namespace of the HTTPProxy that uses the Secret. */
  readonly to: string;
  readonly part: SourcePart;
}

/** One TLSCertificateDelegation for each namespace with Secrets that HTTPProxies of other namespaces use. */
export function delegations(uses: readonly Use[], names: Names): ResultDocument[] {
  const byNamespace = new Map<string, Use[]>();
  for (const use of uses)
    byNamespace.set(use.secret.namespace, [...(byNamespace.get(use.secret.namespace) ?? []), use]);
  return [...byNamespace].map(([namespace, own]): ResultDocument => {
    const bySecret = new Map<string, Set<string>>();
    for (const { secret, to } of own)
      bySecret.set(secret.name, (bySecret.get(secret.name) ?? new Set()).add(to));
    const [first] = own;
    if (!first) throw new Error("a namespace is there for its first use");
    return {
      object: {
        apiVersion: "projectcontour.io/v1",
        kind: "TLSCertificateDelegation",
        metadata: { name: names.take(`TLSCertificateDelegation/${namespace}`, "migrated"), namespace },
        spec: {
          delegations: [...bySecret].map(([secretName, targets]) => ({
            secretName,
            targetNamespaces: [...targets].sort(),
          })),
        },
      },
      comments: [...new Set(own.map(({ part }) => `from ${shownPart(part)}`))],
      source: first.part.object,
    };
  });
}
