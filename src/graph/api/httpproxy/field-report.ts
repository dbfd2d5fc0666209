import type { ErrorCode } from "../../../schema/finding-codes.js";
import type { FindingType } from "../../../schema/finding-types.js";
import type { HTTPProxy, Report } from "../../core/reader.js";
import type { RouteContext } from "../../policies/policy.js";

/** Reports findings about the fields of an HTTPProxy below a path, and counts errors. */
export function fieldReport(
  { ref }: HTTPProxy,
  path: string,
  report: Report,
): Pick<RouteContext, "fail" | "warnIgnored" | "failures"> {
  let failures = 0;
  return {
    fail(type: FindingType, reason: ErrorCode, message: string, field = ""): undefined {
      failures++;
      report.error(ref, type, reason, message, path + field);
    },
    warnIgnored: (message, field) => report.warn(ref, "SpecError", "IgnoredField", message, path + field),
    failures: () => failures,
  };
}
