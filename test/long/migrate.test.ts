import { test } from "vitest";
import { acceptsGateways, acceptsHttpProxies, migrationCases } from "../support/migration-envoy.js";

/** Some of them: test/envoy/migrate.test.ts. */
test("a real Envoy accepts each conversion to HTTPProxy", () => acceptsHttpProxies(migrationCases));
test("a real Envoy accepts each conversion to the Gateway API", () => acceptsGateways(migrationCases));
