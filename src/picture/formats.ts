import type { HostNode } from "../explain/graph.js";
import { dotOf } from "./dot.js";
import { maxDrawnHosts, svgOf } from "./svg.js";
import { textOf } from "./text.js";

export const pictureFormats = ["text", "svg", "dot", "json"] as const;
export type PictureFormat = (typeof pictureFormats)[number];

/** Hosts in a format. @throws RangeError if an SVG would have more than `maxDrawnHosts` hosts. */
export function formatHosts(hosts: readonly HostNode[], format: PictureFormat): string {
  switch (format) {
    case "svg":
      if (hosts.length > maxDrawnHosts)
        throw new RangeError(
          `an SVG of ${hosts.length} hosts is too large to look at; name a host, or use dot, text or json (an SVG has ${maxDrawnHosts} hosts at most)`,
        );
      return svgOf(hosts);
    case "dot":
      return dotOf(hosts);
    case "text":
      return textOf(hosts);
    case "json":
      return `${JSON.stringify(hosts, null, 2)}\n`;
  }
}
