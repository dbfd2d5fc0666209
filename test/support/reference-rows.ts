import { commandRows } from "./reference-rows/commands.js";
import { conditionRows } from "./reference-rows/conditions.js";
import { configurationRows } from "./reference-rows/configuration.js";
import { ingressRouteRows, ingressRows } from "./reference-rows/ingress.js";
import { delegationRows, extensionServiceRows, serviceObjectRows } from "./reference-rows/objects.js";
import { routeRows } from "./reference-rows/routes.js";
import type { Row } from "./reference-rows/row.js";
import { ruleRows } from "./reference-rows/rules.js";
import { serviceRows, tcpRows } from "./reference-rows/services.js";
import { schemaRows, shapeRows } from "./reference-rows/shape.js";
import { statusRows } from "./reference-rows/status.js";
import { trafficConfigurationRows } from "./reference-rows/traffic-configuration.js";
import { virtualHostRows } from "./reference-rows/virtual-host.js";

/** All that Contour has, but the fields of the Gateway API one by one, by part: what shows that it is here, or why it is not. */
export const referenceRows: Readonly<Record<string, readonly Row[]>> = {
  "a host of HTTPProxy": virtualHostRows,
  "includes and conditions": conditionRows,
  "routes of HTTPProxy": routeRows,
  "services of HTTPProxy": serviceRows,
  "TCP of HTTPProxy": tcpRows,
  IngressRoute: ingressRouteRows,
  Ingress: ingressRows,
  Service: serviceObjectRows,
  TLSCertificateDelegation: delegationRows,
  ExtensionService: extensionServiceRows,
  "what all share": shapeRows,
  configuration: configurationRows,
  "configuration of traffic": trafficConfigurationRows,
  commands: commandRows,
  schemas: schemaRows,
  rules: ruleRows,
  statuses: statusRows,
};
