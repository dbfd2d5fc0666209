import { type Duration, durationMs } from "../../schema/duration.js";
import { regexProblem } from "../matches/regex.js";
import type { Policy } from "./policy.js";

export interface CorsPolicy {
  readonly origins: readonly { readonly kind: "exact" | "regex"; readonly value: string }[];
  readonly methods: readonly string[];
  readonly headers: readonly string[];
  readonly exposed: readonly string[];
  /** Seconds that a browser may cache a response; 0 is no caching, undefined the browser's default. */
  readonly maxAge?: number;
  readonly credentials: boolean;
  readonly privateNetwork: boolean;
  /** Envoy answers preflight requests that are not allowed; absent: the backend gets them. */
  readonly answersOthers?: true;
}

interface CorsFields {
  readonly allowOrigin: readonly string[];
  readonly allowMethods: readonly string[];
  readonly allowHeaders?: readonly string[];
  readonly exposeHeaders?: readonly string[];
  readonly maxAge?: Duration;
  readonly allowCredentials?: boolean;
  readonly allowPrivateNetwork?: boolean;
}

/** `scheme://host[:port]` as Go's net/url parses it: a `*` or a bracket in the host does not make it a pattern. */
const originForm =
  /^[a-z][a-z0-9+.-]*:\/\/(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._~!$&'()*+,;=<>"\u0080-\uffff-]+)(?::\d*)?$/;

/**
 * Reads `virtualhost.corsPolicy`. An origin `scheme://host[:port]` or `*` is exact; any other is a regex whose program
 * is no larger than `maxProgramSize`.
 */
function readCors(
  fields: CorsFields | undefined,
  maxProgramSize: number,
): { policy?: CorsPolicy; error?: string } {
  if (!fields) return {};
  const origins: CorsPolicy["origins"][number][] = [];
  for (const origin of fields.allowOrigin) {
    const exact = origin === "*" || originForm.test(origin);
    if (exact) origins.push({ kind: "exact", value: origin });
    else {
      const wrong = origin === "" ? "empty" : regexProblem(origin, maxProgramSize);
      if (wrong) {
        return {
          error: `invalid allowed origin ${JSON.stringify(origin)}: allowed origin is invalid exact match and invalid regex match (${wrong})`,
        };
      }
      origins.push({ kind: "regex", value: origin });
    }
  }
  return {
    policy: {
      origins,
      methods: fields.allowMethods,
      headers: fields.allowHeaders ?? [],
      exposed: fields.exposeHeaders ?? [],
      ...(fields.maxAge === undefined ? {} : { maxAge: Math.round(durationMs(fields.maxAge) / 1000) }),
      credentials: fields.allowCredentials ?? false,
      privateNetwork: fields.allowPrivateNetwork ?? false,
    },
  };
}

export const cors: Policy<{ host: CorsPolicy; route: CorsPolicy }> = {
  protects: false,
  fields: { host: ["corsPolicy"] },
  read: {
    host({ virtualhost, reader, fail }) {
      const { policy, error } = readCors(virtualhost?.corsPolicy, reader.settings.budgets.regexProgramSize);
      if (!error) return policy;
      return fail("CORSError", "PolicyDidNotParse", `Spec.VirtualHost.CORSPolicy: ${error}`, ".corsPolicy");
    },
    // Only an HTTPRoute has a CORS policy on its routes.
    route: () => undefined,
  },
};
