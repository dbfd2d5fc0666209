import { type Conversion, partOf } from "../../conversion.js";
import type { AccessRule, SourcePart } from "../../model.js";
import type { Location, NginxHost } from "./location.js";
import { readSnippet } from "./snippets.js";
import { basic, waf } from "./table.js";

/**
 * Whether a path has a restriction that applies to its whole host and cannot be converted. Server snippets and client
 * certificates apply to hosts.
 */
export function closesHost({ annotations }: Location, hasTls: boolean): boolean {
  const snippet = annotations.text("server-snippet");
  if (snippet !== undefined && readSnippet(snippet).unknown.length > 0) return true;
  const mode = annotations.text("auth-tls-verify-client") ?? "on";
  if (annotations.text("auth-tls-secret") === undefined || mode === "off") return false;
  return !hasTls || mode === "optional_no_ca" || annotations.text("auth-tls-match-cn") !== undefined;
}

/** Whether a restriction of the path cannot be converted. Adds a remark with the reason. */
export function restrictionsOf(location: Location, host: NginxHost, conversion: Conversion): boolean {
  const { annotations, object } = location;
  let isClosed = false;
  const closeAt = (part: SourcePart, message: string, todo?: string): void => {
    isClosed = true;
    conversion.remark("error", part, `${message}; answered 503`, {
      hosts: [host.host],
      closes: true,
      ...(todo ? { todo } : {}),
    });
  };
  const close = (name: string, message: string, todo?: string): void =>
    closeAt(annotations.partOf(name), message, todo);
  const type = annotations.text("auth-type");
  const secret = annotations.text("auth-secret");
  if (type !== undefined && "note" in basic) close("auth-type", basic.note, basic.todo);
  else if (secret !== undefined)
    conversion.remark(
      "warning",
      annotations.partOf("auth-secret"),
      "has no effect without auth-type: there is no password in ingress-nginx either",
      {
        hosts: [host.host],
      },
    );
  if (annotations.text("satisfy") === "any")
    close("satisfy", "lets requests through that meet one of several rules, which can't be said");
  for (const name of ["enable-modsecurity", "enable-owasp-core-rules"])
    if (annotations.flag(name) && "note" in waf) close(name, waf.note, waf.todo);
  for (const name of ["configuration-snippet", "server-snippet"]) {
    const text = annotations.text(name);
    const { unknown = [] } = text === undefined ? {} : readSnippet(text);
    if (unknown.length > 0)
      close(
        name,
        `is nginx configuration that may restrict access (${unknown.slice(0, 5).join(", ")})`,
        "write by hand what it does, and remove it from the source",
      );
  }
  if (annotations.text("auth-tls-secret") !== undefined) {
    const mode = annotations.text("auth-tls-verify-client") ?? "on";
    if (mode === "optional_no_ca")
      close(
        "auth-tls-verify-client",
        "lets any certificate through and leaves the check to the backend, by a header that Envoy does not set",
      );
    else if (mode !== "off" && !host.hasTls)
      close(
        "auth-tls-secret",
        "asks for client certificates, and the host has no certificate of its own",
        "name one in spec.tls",
      );
  }
  const { allow, deny, part } = addressLists(location, host);
  const wrong = [...allow, ...deny].find((one) => !address.test(one));
  if (wrong !== undefined)
    closeAt(part, `${JSON.stringify(wrong)} is no address, and ingress-nginx answers 503`);
  if (host.isClosed && !isClosed)
    conversion.remark(
      "error",
      partOf(object, location.field),
      "an Ingress of the host restricts all of it; answered 503",
      { hosts: [host.host], closes: true },
    );
  return isClosed || host.isClosed;
}

const address = /^(?:\d{1,3}(?:\.\d{1,3}){3}(?:\/\d{1,2})?|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(?:\/\d{1,3})?)$/;

interface AddressLists {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  /** The place that remarks refer to. */
  readonly part: SourcePart;
}

function addressLists({ annotations }: Location, { config }: NginxHost): AddressLists {
  const [newer, older] = ["allowlist-source-range", "whitelist-source-range"];
  const name = annotations.list(newer).length > 0 ? newer : older;
  const allow = annotations.list(name);
  const denied = annotations.list("denylist-source-range");
  const deny = [...denied, ...config.blocked];
  if (allow.length > 0) return { allow, deny, part: annotations.partOf(name) };
  const isOwn = denied.length > 0 || !config.object;
  return {
    allow,
    deny,
    part: isOwn
      ? annotations.partOf("denylist-source-range")
      : partOf(config.object, config.object.root.at("data", "block-cidrs")),
  };
}

export function accessOf(location: Location, host: NginxHost, conversion: Conversion): AccessRule[] {
  const { allow, deny, part } = addressLists(location, host);
  if (allow.length === 0 && deny.length === 0) return [];
  const { isForwarded } = host.config;
  conversion.remark(
    "info",
    part,
    isForwarded
      ? "addresses are those that trusted proxies report, as with use-forwarded-headers"
      : "addresses are those of connections, as in ingress-nginx without use-forwarded-headers",
    {
      hosts: [host.host],
      todo: isForwarded ? "set network.numTrustedHops" : "write source: Remote behind a trusted proxy",
    },
  );
  const full = (one: string): string => (one.includes("/") ? one : `${one}/${one.includes(":") ? 128 : 32}`);
  return [
    {
      part,
      kind: "addresses",
      allow: allow.map(full),
      deny: deny.map(full),
      source: isForwarded ? "Remote" : "Peer",
    },
  ];
}
