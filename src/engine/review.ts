import { unitsAbout } from "../graph/core/affected.js";
import { lintObject } from "../lint/findings.js";
import { type Finding, findingsAt, type Ref } from "../schema/meta.js";
import { parseObject } from "../schema/object.js";
import { settingsOf } from "../schema/stored-settings.js";
import type { Store } from "../store/store.js";
import type { Platform } from "../update.js";
import { tryChanges } from "./dry-run.js";

/** The result of reviewing a change before it is made. */
export interface ReviewVerdict {
  readonly allowed: boolean;
  /** Why it is denied. */
  readonly errors: readonly Finding[];
  readonly warnings: readonly Finding[];
}

export interface ReviewOptions {
  readonly store: Store;
  readonly platform: Platform;
  /** Whether the store has all objects of the Kubernetes cluster, so that references can be resolved. */
  readonly ready: boolean;
  /** Also denies objects whose only errors are references to missing objects. */
  readonly strict: boolean;
  /** In ms since the epoch. */
  readonly now: number;
}

/** Reasons for references that may be resolved a moment later: files are applied in any order. */
const unresolved: ReadonlySet<string> = new Set([
  "ServiceUnresolvedReference",
  "SecretNotValid",
  "IncludeNotFound",
  "DelegationNotPermitted",
  "CACertificateNotDelegated",
  "RemoteJWKSCACertificateNotDelegated",
  "ExtensionServiceNotFound",
  "FallbackNotDelegated",
  "ClientValidationInvalid",
  "TLSUpstreamValidation",
  "NginxReferenceUnresolved",
  // For the Gateway API: references of a Gateway and its routes, and to each other.
  "BackendNotFound",
  "RefNotPermitted",
  "InvalidCertificateRef",
  "InvalidParameters",
  "NoMatchingParent",
  "NotAllowedByListeners",
  "NoMatchingListenerHostname",
]);

const allowed: ReviewVerdict = { allowed: true, errors: [], warnings: [] };

/**
 * Validates an object as it would be after a change: by its schema, and by a dry run. The findings are those of
 * `isoline check` for the objects of the store with this one. An error that the object had before is only a warning,
 * so that an invalid object can still be edited.
 */
export function review(
  raw: unknown,
  old: unknown,
  { store, platform, ready, strict, now }: ReviewOptions,
): ReviewVerdict {
  const parsed = parseObject(raw);
  if ("ignored" in parsed) return { ...allowed, warnings: parsed.findings };
  if (!("object" in parsed)) return unread(parsed.findings, old);
  const { object, findings: warnings } = parsed;
  if (!ready) return { ...allowed, warnings: [...warnings, notReady(object.ref)] };
  const before = new Set(findingsAbout(store, object.ref, now).map(keyOf));
  const { undo } = tryChanges(store, [object], platform);
  const findings = [
    ...findingsAbout(store, object.ref, now),
    ...lintObject(object, store, settingsOf(store)),
  ];
  undo();
  const isError = (finding: Finding): boolean =>
    finding.severity === "error" &&
    !before.has(keyOf(finding)) &&
    (strict || !unresolved.has(finding.reason));
  const errors = findings.filter(isError);
  return {
    allowed: errors.length === 0,
    errors,
    warnings: [...warnings, ...findings.filter((finding) => !isError(finding))],
  };
}

/** The verdict for an object that the schema refuses. */
function unread(findings: readonly Finding[], old: unknown): ReviewVerdict {
  const parsed = old === undefined || old === null ? undefined : parseObject(old);
  const before = new Set(parsed && "findings" in parsed ? parsed.findings.map(keyOf) : []);
  const isError = (finding: Finding): boolean => finding.severity === "error" && !before.has(keyOf(finding));
  const errors = findings.filter(isError);
  const warnings = findings.filter((finding) => !isError(finding));
  return { allowed: errors.length === 0, errors, warnings };
}

/** Findings about one object, from the units that it claims or that read it. */
export function findingsAbout(store: Store, ref: Ref, now: number): readonly Finding[] {
  const findings = unitsAbout(store, ref).flatMap((unit) => store.unit(unit)?.findings ?? []);
  return [...findingsAt(now, findings)].filter(({ about }) => about === ref);
}

const keyOf = ({ type, reason, path = "", message }: Finding): string =>
  [type, reason, path, message].join("\n");

const notReady = (about: Ref): Finding => ({
  about,
  severity: "warning",
  type: "NotReady",
  reason: "NotReady",
  message: "the cluster has not been read yet: only the fields were checked, not their references",
});
