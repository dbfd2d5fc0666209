import { test } from "vitest";
import { acceptsGateways, acceptsHttpProxies, migrationCases } from "../support/migration-envoy.js";

/** All of them: test/long/migrate.test.ts. */
const some = migrationCases.filter((_, i) => i % 8 === 0);

test("a real Envoy accepts conversions to HTTPProxy", () => acceptsHttpProxies(some));
test("a real Envoy accepts conversions to the Gateway API", () => acceptsGateways(some));
