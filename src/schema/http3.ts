import { z } from "zod";
import { durationMs, finiteDuration } from "./duration.js";
import { port } from "./fields.js";

/** HTTP/3 (over QUIC) for the hosts with TLS. */
export const http3 = z
  .object({
    enabled: z.boolean().default(false),
    /** The UDP port at which clients reach the listener of the settings, as `alt-svc` has it. */
    advertisedPort: port.default(443),
    /** How long clients remember it. A zero makes them forget it. */
    maxAge: finiteDuration.prefault("24h"),
  })
  .prefault({});

type Http3 = z.output<typeof http3>;

/** The value of the header `alt-svc` for a port. */
export const altSvc = ({ maxAge }: Http3, port: number): string =>
  `h3=":${port}"; ma=${Math.floor(durationMs(maxAge) / 1000)}`;
