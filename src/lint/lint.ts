import type { WarningCode } from "../schema/finding-codes.js";
import type { Finding, Ref } from "../schema/meta.js";

/** A valid part of an object without effect. */
export interface Lint {
  readonly reason: WarningCode;
  readonly message: string;
  readonly path: string;
}

export const lint = (about: Ref, { reason, message, path }: Lint): Finding => ({
  about,
  severity: "warning",
  type: "LintError",
  reason,
  message,
  path,
});
