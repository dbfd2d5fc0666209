import { writeFileSync } from "node:fs";
import { formatHosts, type PictureFormat } from "../picture/formats.js";
import { type ExplainerOptions, explainerOf } from "./explain.js";
import { hostsOf } from "./graph-hosts.js";
import { UsageError } from "./usage.js";

/** The options of `isoline graph` as commander passes them. */
export interface GraphCommandOptions extends ExplainerOptions {
  /** Only the listeners of this Gateway. */
  readonly gateway?: string;
  /** Only the listeners that are bound to this IP address. */
  readonly address?: string;
  readonly format: PictureFormat;
  /** The file to write; `-` is standard output. */
  readonly output: string;
}

/**
 * `isoline graph`: prints hosts with their routes, clusters and endpoints, as a picture or text. Returns the exit code.
 */
export async function graphCommand(host: string | undefined, options: GraphCommandOptions): Promise<number> {
  const explainer = await explainerOf(options);
  const hosts = await hostsOf(explainer, options, {
    host,
    gateway: options.gateway,
    address: options.address,
  });
  const text = formatted(hosts, options.format);
  if (options.output === "-") process.stdout.write(text);
  else writeFileSync(options.output, text);
  return explainer.broken ? 3 : 0;
}

function formatted(...[hosts, format]: Parameters<typeof formatHosts>): string {
  try {
    return formatHosts(hosts, format);
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
}
