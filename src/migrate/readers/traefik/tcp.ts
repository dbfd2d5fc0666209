import { type Conversion, partOf } from "../../conversion.js";
import type { SourceBackend } from "../../model.js";
import type { SourceObject } from "../../source.js";
import { addTls } from "./tls.js";

/** IngressRouteTCP: connections by server name, with TLS that is terminated or passed through. */
export function readTcpRoutes(object: SourceObject, conversion: Conversion): void {
  const tls = object.root.at("spec", "tls");
  const isPassthrough = tls.at("passthrough").flag() ?? false;
  object.root.at("spec", "entryPoints").texts();
  for (const field of object.root.at("spec", "routes").items()) {
    const part = partOf(object, field);
    const rule = field.at("match").text() ?? "";
    field.at("priority").number();
    const hosts = [...rule.matchAll(/HostSNI\(([^)]*)\)/g)].flatMap(([, values = ""]) =>
      [...values.matchAll(/[`"]([^`"]*)[`"]/g)].map(([, host = ""]) => host.toLowerCase()),
    );
    const backends = field
      .at("services")
      .items()
      .flatMap((service): SourceBackend[] => {
        const weight = service.at("weight").number();
        const port = service.at("port").port();
        const name = service.at("name").text();
        const namespace = service.at("namespace").text() || object.namespace;
        const number =
          port === undefined || name === undefined
            ? undefined
            : conversion.portNumber({ namespace, name, port });
        return name === undefined || number === undefined
          ? []
          : [{ namespace, name, port: number, ...(weight === undefined ? {} : { weight }) }];
      });
    const isSimple = /^HostSNI\([^)]*\)(?:\s*\|\|\s*HostSNI\([^)]*\))*$/.test(rule.trim());
    const left = (message: string, todo?: string): void =>
      conversion.remark("error", part, `${message}; left out`, { hosts, ...(todo ? { todo } : {}) });
    if (!isSimple || hosts.length === 0) left(`the rule ${rule} can't be said for TCP`);
    else if (field.at("middlewares").given)
      left("its middlewares keep connections out, and can't be converted");
    else if (backends.length === 0) left("has no Service with a port that is known");
    else if (hosts.includes("*"))
      left(
        "takes all connections of an entry point, whose port is in the static configuration",
        "write a TCPRoute, and a listener of the Gateway for the port",
      );
    else if (!tls.seen()) left("a server name needs TLS");
    else if (isPassthrough)
      for (const host of hosts)
        conversion.sites.push({ part, host, tls: { kind: "passthrough" }, tcp: backends });
    else {
      const before = conversion.sites.length;
      const { closed } = addTls(object, tls, hosts, conversion);
      const added = conversion.sites.splice(before);
      if (!closed) conversion.sites.push(...added.map((site) => ({ ...site, part, tcp: backends })));
    }
  }
}
