import type { Policy } from "./policy.js";

/** The redirects of a backend that Envoy follows itself. */
export interface InternalRedirect {
  readonly maximum?: number;
  readonly codes: readonly number[];
  readonly crossScheme: "Always" | "Never" | "SafeOnly";
  /** Refuses a redirect to a route that was already used. */
  readonly denyRepeated: boolean;
}

interface InternalRedirectFields {
  readonly maxInternalRedirects?: number;
  readonly redirectResponseCodes?: readonly number[];
  readonly allowCrossSchemeRedirect: "Always" | "Never" | "SafeOnly";
  readonly denyRepeatedRouteRedirect?: boolean;
}

/** `internalRedirectPolicy` of a route; 0 redirects is Envoy's default (1), as in Contour. */
const readInternalRedirect = (fields: InternalRedirectFields | undefined): InternalRedirect | undefined =>
  fields && {
    ...(fields.maxInternalRedirects ? { maximum: fields.maxInternalRedirects } : {}),
    codes: [...new Set(fields.redirectResponseCodes)],
    crossScheme: fields.allowCrossSchemeRedirect,
    denyRepeated: fields.denyRepeatedRouteRedirect ?? false,
  };

export const internalRedirect: Policy<{ route: InternalRedirect }> = {
  protects: false,
  fields: { route: ["internalRedirectPolicy"] },
  read: { route: ({ route }) => readInternalRedirect(route.internalRedirectPolicy) },
};
