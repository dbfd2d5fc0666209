import { runDemo } from "../dev/demo.js";
import { parsePort } from "./bootstrap.js";

/** The options of `isoline demo`. */
export interface DemoCommandOptions {
  /** Envoy's HTTP port; default 8080. */
  readonly port?: string | number;
  /** The port of Envoy's admin interface; default 9001. */
  readonly adminPort?: string | number;
}

/**
 * `isoline demo`.
 *
 * @throws BootstrapError, DemoError, EnvoyNotFound
 */
export const demoCommand = ({ port = 8080, adminPort = 9001 }: DemoCommandOptions): Promise<void> =>
  runDemo(parsePort("--port", port), parsePort("--admin-port", adminPort));
