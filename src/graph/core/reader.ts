import type { StoreCache, UnitCache } from "../../schema/compile-cache.js";
import type { ErrorCode, FindingCode, WarningCode } from "../../schema/finding-codes.js";
import { FindingList } from "../../schema/finding-list.js";
import type { FindingType } from "../../schema/finding-types.js";
import type { Finding, Ref } from "../../schema/meta.js";
import type { KubeObject } from "../../schema/object.js";
import type { SettingsSpec } from "../../schema/settings.js";
import type { Overrun } from "../cost/size.js";
import type { ClaimKey, NeededUnit } from "./keys.js";

export type Kind = KubeObject["kind"];
export type ObjectByKind<K extends Kind> = Extract<KubeObject, { kind: K }>;
export type HTTPProxy = ObjectByKind<"HTTPProxy">;
export type ExtensionService = ObjectByKind<"ExtensionService">;

/**
 * All inputs of a unit. Each call is recorded, whether it finds an object or not, so that a change of any input
 * recompiles the unit. The settings are not recorded: a change of settings recompiles every unit.
 */
export interface Reader {
  readonly settings: SettingsSpec;
  /** Values derived from objects of the store. */
  readonly cache: StoreCache;
  /** Values derived for this unit. Their inputs are recorded already. */
  readonly unitCache: UnitCache;
  get<K extends Kind>(kind: K, namespace: string, name: string): ObjectByKind<K> | undefined;
  /**
   * A value that units have in common, such as the listeners of a Gateway. `find` reads it once per update, and its reads
   * are recorded for each unit that gets it. The arguments must be the same in all calls with that key.
   */
  shared<Args extends readonly unknown[], Value>(
    find: (reader: Reader, ...args: Args) => Value,
    key: string,
    ...args: Args
  ): Value;
  /** Refs of the objects that claim a key, sorted. */
  claimants(key: ClaimKey): readonly Ref[];
  /** Keeps another unit (endpoints, a secret) compiled while this one needs it. */
  need(unit: NeededUnit): void;
  /**
   * Why an object is over the budget of its namespace. Not recorded: such a change counts as a change of the object.
   */
  overrun(ref: Ref): Overrun | undefined;
  /** Why a certificate and a private key (PEM) do not form a pair; undefined when they do. */
  checkKeyPair(certificate: string, privateKey: string): string | undefined;
}

const features: Partial<Record<Kind, SettingsSpec["disableFeatures"][number]>> = {
  ExtensionService: "extensionservices",
  TLSRoute: "tlsroutes",
  GRPCRoute: "grpcroutes",
  TCPRoute: "tcproutes",
  UDPRoute: "udproutes",
  BackendTLSPolicy: "backendtlspolicies",
  // Read only for the CA certificates of BackendTLSPolicies.
  ConfigMap: "backendtlspolicies",
};

/** Whether the setting `disableFeatures` excludes a kind. The names are those of Contour's flag `--disable-feature`. */
export function isLeftOut(kind: Kind, { disableFeatures }: Pick<SettingsSpec, "disableFeatures">): boolean {
  const feature = features[kind];
  return feature !== undefined && disableFeatures.includes(feature);
}

/** The objects of one kind among claimants. */
export function objectsOf<K extends Kind>(kind: K, refs: readonly Ref[], reader: Reader): ObjectByKind<K>[] {
  const found: ObjectByKind<K>[] = [];
  if (isLeftOut(kind, reader.settings)) return found;
  for (const ref of refs) {
    if (!ref.startsWith(`${kind}/`)) continue;
    const slash = ref.indexOf("/", kind.length + 1);
    const object = reader.get(kind, ref.slice(kind.length + 1, slash), ref.slice(slash + 1));
    if (object) found.push(object);
  }
  return found;
}

/** Collects findings about the objects that a unit reads. */
export interface Report {
  error(about: Ref, type: FindingType, reason: ErrorCode, message: string, path?: string): void;
  /** `unlessBetween`: the warning does not apply between these times (ms since the epoch). */
  warn(
    about: Ref,
    type: FindingType,
    reason: WarningCode,
    message: string,
    path?: string,
    unlessBetween?: Finding["unlessBetween"],
  ): void;
  /** Adds a finding that another report collected. */
  add(finding: Finding): void;
  readonly findings: readonly Finding[];
}

export const createReport = (): Report => new FindingReport();

class FindingReport implements Report {
  readonly #findings = new FindingList();

  error(about: Ref, type: FindingType, reason: ErrorCode, message: string, path?: string): void {
    this.#add("error", about, type, reason, message, path);
  }

  warn(
    about: Ref,
    type: FindingType,
    reason: WarningCode,
    message: string,
    path?: string,
    unlessBetween?: Finding["unlessBetween"],
  ): void {
    this.#add("warning", about, type, reason, message, path, unlessBetween);
  }

  add(finding: Finding): void {
    this.#findings.add(finding);
  }

  get findings(): readonly Finding[] {
    return this.#findings.list;
  }

  #add(
    severity: Finding["severity"],
    about: Ref,
    type: FindingType,
    reason: FindingCode,
    message: string,
    path?: string,
    unlessBetween?: Finding["unlessBetween"],
  ): void {
    this.add({
      about,
      severity,
      type,
      reason,
      message,
      ...(path === undefined ? {} : { path }),
      ...(unlessBetween ? { unlessBetween } : {}),
    });
  }
}
