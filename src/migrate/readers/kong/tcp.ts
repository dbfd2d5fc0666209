import { type Conversion, partOf } from "../../conversion.js";
import type { SourceObject } from "../../source.js";
import { IngressAnnotations } from "../ingress-rules.js";
import { prefix, tcpTable } from "./table.js";

/** TCPIngress: connections by port or by server name. */
export function readTcp(object: SourceObject, conversion: Conversion): void {
  conversion.take(object, tcpTable);
  const annotations = new IngressAnnotations(object, prefix);
  const passes = annotations.list("protocols").includes("tls_passthrough");
  const secrets = object.root
    .at("spec", "tls")
    .items()
    .map((field) => ({
      name: field.at("secretName").text(),
      hosts: field.at("hosts").texts(),
    }));
  const isRestricted = annotations.text("plugins") !== undefined;
  for (const field of object.root.at("spec", "rules").items()) {
    const part = partOf(object, field);
    const host = field.at("host").text()?.toLowerCase();
    const port = field.at("port").number() ?? 0;
    const name = field.at("backend", "serviceName").text();
    const to = field.at("backend", "servicePort").port();
    const number =
      name === undefined || to === undefined
        ? undefined
        : conversion.portNumber({ namespace: object.namespace, name, port: to });
    const secret = secrets.find(({ hosts }) => host !== undefined && hosts.includes(host))?.name;
    const left = (message: string): void =>
      conversion.remark("error", part, `${message}; left out`, { hosts: host ? [host] : [] });
    if (name === undefined || number === undefined) left("has no Service with a port that is known");
    else if (isRestricted) left("its plugins keep connections out, and can't be converted");
    else {
      const tcp = [{ namespace: object.namespace, name, port: number }];
      if (host === undefined) conversion.tcpPorts.push({ part, port, backends: tcp });
      else if (passes) conversion.sites.push({ part, host, tls: { kind: "passthrough" }, tcp });
      else if (secret)
        conversion.sites.push({
          part,
          host,
          tls: { kind: "terminate", secret: { namespace: object.namespace, name: secret } },
          tcp,
        });
      else left("its host has no certificate in spec.tls");
    }
  }
}
