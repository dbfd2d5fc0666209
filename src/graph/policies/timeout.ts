import { parseTimeout } from "../../schema/duration.js";

/** Milliseconds; 0 is no limit, absent is Envoy's default. */
export interface TimeoutPolicy {
  readonly response?: number;
  readonly idle?: number;
}

/** A timeout in Contour's grammar: "" or `0` is the default, `infinity` is none, else a Go duration. */
export function readTimeout(text: string | undefined): { ms?: number; error?: string } {
  const parsed = parseTimeout(text ?? "");
  if ("error" in parsed) return { error: parsed.error };
  if (parsed.kind === "default") return {};
  return { ms: parsed.kind === "disabled" ? 0 : parsed.ms };
}

/** The timeouts of an HTTPProxy or IngressRoute route; an error names the field. */
export function readTimeoutPolicy(policy: { response?: string; idle?: string } | undefined): {
  policy?: TimeoutPolicy;
  error?: string;
} {
  const response = readTimeout(policy?.response);
  const idle = readTimeout(policy?.idle);
  if (response.error) return { error: `error parsing response timeout: ${response.error}` };
  if (idle.error) return { error: `error parsing idle timeout: ${idle.error}` };
  if (response.ms === undefined && idle.ms === undefined) return {};
  return {
    policy: {
      ...(response.ms === undefined ? {} : { response: response.ms }),
      ...(idle.ms === undefined ? {} : { idle: idle.ms }),
    },
  };
}
