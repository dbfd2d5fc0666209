import ipaddr from "ipaddr.js";
import { z } from "zod";
import { isWildcardSubdomain, subdomain, wildcardSubdomain } from "./names.js";

/** Optional text and flags, as nearly every Kubernetes field is. */
export const text = z.string().optional();
export const flag = z.boolean().optional();
/** A reference or key that may not be empty. */
export const name = z.string().min(1);
export const port = z.int().min(1).max(65535);
export const uint32 = z.int().min(0).max(4294967295);

export const hostname = z.string().max(253).regex(subdomain, { error: "must be a lower-case DNS name" });
export const wildcardHostname = z.string().max(253).regex(wildcardSubdomain, {
  error: "must be a lower-case DNS name, optionally with a leading *.",
});

const { IPv4, IPv6 } = ipaddr;
const isBlock = (value: string): boolean =>
  IPv4.isValidCIDRFourPartDecimal(value) || (IPv6.isValidCIDR(value) && !value.includes("%"));

/** A DNS name, `*.suffix`, or IP addresses, which become a block in CIDR form. */
/** A block of addresses in CIDR form. */
export const network = z.string().refine((value) => IPv4.isValidCIDR(value) || IPv6.isValidCIDR(value), {
  error: 'must be a block of addresses such as "10.1.0.0/16"',
});

export const forbiddenHost = z
  .string()
  .transform((value) => {
    if (IPv4.isValidFourPartDecimal(value)) return `${value}/32`;
    return IPv6.isValid(value) ? `${value}/128` : value;
  })
  .refine((value) => isBlock(value) || isWildcardSubdomain(value), {
    error:
      "must be a lower-case DNS name, optionally with a leading *., an IP address or a block of them (CIDR)",
  });

const units = "(?:(?:\\d+(?:\\.\\d*)?|\\.\\d+)(?:h|ms?|s|us|µs|μs|ns))+";

/** A number is told as what it is: a duration without its unit. */
function durationLike(pattern: string, what: string) {
  const error = `must be ${what}`;
  return z
    .string({ error: ({ input }) => (typeof input === "number" ? error : undefined) })
    .max(100)
    .regex(new RegExp(`^(?:${pattern})$`), {
      error: ({ input }) => (String(input).startsWith("-") ? `${error}; it is never negative` : error),
    });
}

/** Contour's pattern of timeouts: Go units or `infinity`. A bare 0 is refused, as its CRD does. */
export const timeout = durationLike(
  `${units}|infinity|infinite`,
  'a duration with a unit such as "15s", or "infinity"',
);

/** The same without `infinity`. */
export const finiteDuration = durationLike(units, 'a duration with a unit such as "15s"');

/** The age of a CORS answer: a duration or `0`. */
export const maxAge = durationLike(`${units}|0`, 'a duration with a unit such as "10m", or "0"');

// Envoy refuses a whole route table for one NUL or line break in a header value or a path that it rewrites.
export const oneLine = z
  .string()
  .min(1)
  .regex(/^[^\0\r\n]*$/, { error: "must be one line, without control characters" });
/** What Envoy itself sends in a request: it refuses all clusters for one control character there. */
export const sentText = z.string().regex(/^\P{Cc}*$/u, { error: "must hold no control characters" });
export const absolutePath = z
  .string()
  .regex(/^\/[^\0\r\n]*$/, { error: "must start with / and be one line" });

const encoder = new TextEncoder();

/** A name of which Envoy takes at most 1,024 bytes. */
export const shortName = oneLine.refine((value) => encoder.encode(value).length <= 1024, {
  error: "must be at most 1024 bytes",
});

/** Metadata by which a CRD says a rule in CEL that a `refine` says here; the message is the same. */
export const celRule = (
  rule: string,
  message: string,
): { readonly "x-kubernetes-validations": { readonly rule: string; readonly message: string }[] } => ({
  "x-kubernetes-validations": [{ rule, message }],
});
