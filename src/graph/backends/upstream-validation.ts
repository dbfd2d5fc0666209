import { isDelegated, readCaBundle, secretName } from "../certificates/secret.js";
import type { Reader } from "../core/reader.js";
import type { UpstreamValidation } from "./cluster.js";

interface Fields {
  readonly caSecret?: string;
  readonly subjectName?: string;
  readonly subjectNames?: readonly string[];
}

export type CheckedValidation =
  | { readonly validation: UpstreamValidation; readonly problem?: undefined; readonly message?: undefined }
  /** `secret` is `<namespace>/<name>`. */
  | {
      readonly validation?: undefined;
      readonly problem: "not-delegated";
      readonly secret: string;
      readonly message: string;
    }
  | { readonly validation?: undefined; readonly problem: "not-valid"; readonly message: string };

/** The `validation` of a backend: a CA Secret (of the namespace or delegated to it) and the expected names. */
export function readUpstreamValidation(reader: Reader, fields: Fields, namespace: string): CheckedValidation {
  const secret = secretName(fields.caSecret ?? "", namespace);
  if (!isDelegated(reader, secret, namespace)) {
    const message = "certificate delegation not permitted";
    return { problem: "not-delegated", secret: `${secret.namespace}/${secret.name}`, message };
  }
  const { ca, error } = readCaBundle(reader, secret);
  if (!ca) return { problem: "not-valid", message: error ?? "there is no CA certificate" };
  const subjectNames = fields.subjectNames?.length ? fields.subjectNames : [fields.subjectName ?? ""];
  if (subjectNames.some((name) => !name))
    return { problem: "not-valid", message: "missing subject alternative name" };
  return { validation: { ca, subjectNames } };
}
