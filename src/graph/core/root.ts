import type { Ref } from "../../schema/meta.js";
import { ingressHttp, ingressHttps } from "./listener-names.js";
import type { HttpsTerms, HttpTerms, NoTerms, Route, Site, Sites, TcpTerms } from "./nodes.js";

/** The sites that one root (HTTPProxy or IngressRoute) makes for its host. */
export interface Root {
  readonly ref: Ref;
  /** The host has TLS: plain HTTP serves its routes according to `Route.insecure`. */
  readonly secure: boolean;
  readonly sites: Sites;
}

/** How a root takes TLS connections. */
export type SecureTerms = HttpsTerms | TcpTerms | NoTerms;

/** A root owns its host over HTTP and, with `overTls`, over TLS, even if none of its routes is valid. */
export function rootOf(plain: HttpTerms, overTls: SecureTerms | undefined, routes: readonly Route[]): Root {
  const sites = new Map<string, Site>([[ingressHttp, { terms: plain, routes }]]);
  if (overTls) sites.set(ingressHttps, { terms: overTls, routes: overTls.kind === "https" ? routes : [] });
  return { ref: plain.owner, secure: overTls !== undefined, sites };
}
