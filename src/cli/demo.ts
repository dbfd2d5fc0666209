import { runDemo } from "../dev/demo.js";
import { parsePort } from "./bootstrap.js";

/** The options of `isoline demo`. */
export interface DemoCommandOptions {
  /** Where Envoy serves HTTP; 8080. */
  readonly port?: string | number;
  /** Where Envoy's admin interface is; 9001. */
  readonly adminPort?: string | number;
}

/**
 * `isoline demo`.
 *
 * @throws BootstrapError, DemoError, EnvoyNotFound
 */
export const demoCommand = ({ port = 8080, adminPort = 9001 }: DemoCommandOptions): Promise<void> =>
  runDemo(parsePort("--port", port), parsePort("--admin-port", adminPort));
