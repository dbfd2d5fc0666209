import { type Conversion, partOf } from "../../conversion.js";
import type { Field } from "../../field.js";
import type { AccessRule, Cors, Redirect, SourcePart } from "../../model.js";
import type { SourceObject } from "../../source.js";
import { isRefused, pluginTable } from "./table.js";

export const group = "configuration.konghq.com";

/** The effects of plugins on a route. */
export interface Plugged {
  readonly parts: SourcePart[];
  readonly access: AccessRule[];
  readonly request: { set: [string, string][]; add: [string, string][]; remove: string[] };
  readonly response: { set: [string, string][]; add: [string, string][]; remove: string[] };
  cors?: Cors;
  redirect?: Redirect;
  response503?: { status: number; body: string };
  closed: boolean;
}

interface Target {
  readonly hosts: readonly string[];
  readonly conversion: Conversion;
}

/**
 * Applies the plugins of a route. Of several plugins with one name the most specific wins: of the Ingress, of the
 * Service, then global.
 */
export function applyPlugins(lists: readonly (readonly SourceObject[])[], target: Target): Plugged {
  const plugged: Plugged = {
    parts: [],
    access: [],
    request: { set: [], add: [], remove: [] },
    response: { set: [], add: [], remove: [] },
    closed: false,
  };
  const done = new Set<string>();
  for (const object of lists.flat()) {
    const name = object.root.at("plugin").text() ?? "";
    target.conversion.take(object, pluginTable(name));
    if (done.has(name)) continue;
    done.add(name);
    if (object.root.at("disabled").flag()) {
      object.root.at("config").use();
      continue;
    }
    plugged.parts.push(partOf(object));
    apply(name, object, target, plugged);
  }
  return plugged;
}

function apply(name: string, object: SourceObject, { hosts, conversion }: Target, plugged: Plugged): void {
  const config = object.root.at("config");
  const part = partOf(object, config);
  const note = (severity: "warning" | "error", message: string): void =>
    conversion.remark(severity, part, message, { hosts });
  switch (name) {
    case "request-transformer":
      transform(config, plugged.request, note);
      return;
    case "response-transformer":
      transform(config, plugged.response, note);
      return;
    case "cors":
      plugged.cors = corsOf(config);
      return;
    case "ip-restriction":
      restrict(config, part, plugged);
      return;
    case "request-termination": {
      const status = config.at("status_code").number() ?? 503;
      const message = config.at("message").text();
      plugged.response503 ??= { status, body: config.at("body").text() ?? message ?? "" };
      return;
    }
    case "redirect":
      redirect(config, object, { hosts, conversion }, plugged);
      return;
    default:
      if (!isRefused(name)) return;
      plugged.closed = true;
      conversion.remark(
        "error",
        partOf(object, object.root.at("plugin")),
        `the plugin ${name} may keep requests out, and can't be converted; answered 503`,
        {
          hosts,
          closes: true,
          todo: "ask an ExtensionService, or write by hand what it does",
        },
      );
  }
}

/** Reads entries `NAME:VALUE`. In Kong, `add` applies only to absent headers, and `replace` only to present ones. */
function transform(
  config: Field,
  changes: Plugged["request"],
  note: (severity: "warning" | "error", message: string) => void,
): void {
  const pairs = (field: Field): [string, string][] =>
    field.texts().map((text) => {
      const colon = text.indexOf(":");
      return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
    });
  const added = [...pairs(config.at("add", "headers")), ...pairs(config.at("replace", "headers"))];
  if (added.length > 0) note("warning", "headers are set whether they are there or not");
  changes.set.push(...added);
  changes.add.push(...pairs(config.at("append", "headers")));
  changes.remove.push(...config.at("remove", "headers").texts());
}

function corsOf(config: Field): Cors {
  const origins = config.at("origins").texts();
  const methods = config.at("methods").texts();
  const age = config.at("max_age").number();
  return {
    allowOrigin: origins.length > 0 ? origins : ["*"],
    allowMethods:
      methods.length > 0
        ? methods
        : ["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS", "TRACE", "CONNECT"],
    allowHeaders: config.at("headers").texts(),
    exposeHeaders: config.at("exposed_headers").texts(),
    allowCredentials: config.at("credentials").flag() ?? false,
    ...(age === undefined ? {} : { maxAge: `${age}s` }),
  };
}

function restrict(config: Field, part: SourcePart, plugged: Plugged): void {
  const full = (one: string): string => (one.includes("/") ? one : `${one}/${one.includes(":") ? 128 : 32}`);
  const allow = [...config.at("allow").texts(), ...config.at("whitelist").texts()].map(full);
  const deny = [...config.at("deny").texts(), ...config.at("blacklist").texts()].map(full);
  if (allow.length + deny.length > 0)
    plugged.access.push({ part, kind: "addresses", allow, deny, source: "Peer" });
}

function redirect(
  config: Field,
  object: SourceObject,
  { hosts, conversion }: Target,
  plugged: Plugged,
): void {
  const status = config.at("status_code").number() ?? 301;
  const isKept = config.at("keep_incoming_path").flag() ?? false;
  let url: URL;
  try {
    url = new URL(config.at("location").text() ?? "");
  } catch {
    plugged.closed = true;
    conversion.remark("error", partOf(object, config), "the location is no URL; answered 503", {
      hosts,
      closes: true,
    });
    return;
  }
  plugged.redirect ??= {
    scheme: url.protocol === "http:" ? "http" : "https",
    hostname: url.hostname,
    status,
    ...(url.port === "" ? {} : { port: Number(url.port) }),
    ...(isKept ? {} : { path: { kind: "full", value: url.pathname } }),
  };
}

/** The plugins that an annotation names: KongPlugins of the namespace, otherwise KongClusterPlugins. */
export function pluginsNamed(
  names: readonly string[],
  { namespace, part }: { readonly namespace: string; readonly part: SourcePart },
  { hosts, conversion }: Target,
): { objects: SourceObject[]; closed: boolean } {
  const objects: SourceObject[] = [];
  let closed = false;
  for (const name of names) {
    // Cluster-scoped objects have the namespace `default` here.
    const found =
      conversion.find(group, "KongPlugin", namespace, name) ??
      conversion.ofKind(group, "KongClusterPlugin").find((plugin) => plugin.name === name);
    if (found) objects.push(found);
    else {
      closed = true;
      conversion.remark(
        "error",
        part,
        `KongPlugin ${namespace}/${name} is not among the input; answered 503`,
        {
          hosts,
          closes: true,
          todo: "give it, too",
        },
      );
    }
  }
  return { objects, closed };
}

/** The KongClusterPlugins that apply to all routes. */
export const globalPlugins = (conversion: Conversion): SourceObject[] =>
  conversion.ofKind(group, "KongClusterPlugin").filter(({ labels }) => labels.global === "true");
