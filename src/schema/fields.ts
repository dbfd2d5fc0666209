import ipaddr from "ipaddr.js";
import { z } from "zod";
import { isWildcardSubdomain, subdomain, wildcardSubdomain } from "./names.js";

/** Optional text and flags: nearly every Kubernetes field is optional. */
export const text = z.string().optional();
export const flag = z.boolean().optional();
/** A reference or key that must not be empty. */
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

/** A DNS name, `*.suffix`, an IP address (converted to CIDR form) or a CIDR block. */
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

// Envoy refuses a whole route table for one NUL or line break in a header value or a path that it rewrites.
export const oneLine = z
  .string()
  .min(1)
  .regex(/^[^\0\r\n]*$/, { error: "must be one line, without control characters" });
/** Text that Envoy sends in its own requests. Envoy rejects all clusters for one control character in it. */
export const sentText = z.string().regex(/^\P{Cc}*$/u, { error: "must contain no control characters" });
export const absolutePath = z
  .string()
  .regex(/^\/[^\0\r\n]*$/, { error: "must start with / and be one line" });

const encoder = new TextEncoder();

/** A name; Envoy accepts at most 1,024 bytes. */
export const shortName = oneLine.refine((value) => encoder.encode(value).length <= 1024, {
  error: "must be at most 1024 bytes",
});

/** Metadata that adds the rule of a `refine` to the CRD in CEL, with the same message. */
export const celRule = (
  rule: string,
  message: string,
): { readonly "x-kubernetes-validations": { readonly rule: string; readonly message: string }[] } => ({
  "x-kubernetes-validations": [{ rule, message }],
});

/** A percentage, 100 by default. Contour writes it as text. */
export const percent = z
  .union([z.string().regex(/\S/, { error: 'must be a percentage such as "12.5"' }), z.number()])
  .transform(Number)
  .pipe(z.number({ error: 'must be a percentage such as "12.5"' }).min(0).max(100))
  .default(100);
