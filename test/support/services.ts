import { extensionService, type Manifest } from "./backend.js";
import { envoyMethod, type Message, startGrpc } from "./grpc.js";

/** A service that Envoy calls, with an ExtensionService in namespace `infra`. */
interface Service<Request> {
  readonly objects: readonly Manifest[];
  readonly requests: readonly Request[];
}

/** A request to a rate limit service. */
export interface RateLimitRequest {
  readonly domain: string;
  readonly descriptors: readonly (readonly (readonly [key: string, value: string])[])[];
}

interface WireRateLimitRequest {
  readonly domain?: string;
  readonly descriptors?: readonly { readonly entries?: readonly { key?: string; value?: string }[] }[];
}

/** Starts a rate limit service, `infra/rls`; `allows` decides. */
export async function startRateLimitService(
  allows: (request: RateLimitRequest) => boolean,
): Promise<Service<RateLimitRequest>> {
  const requests: RateLimitRequest[] = [];
  const shouldRateLimit = (message: Message): Message => {
    const wire = message as WireRateLimitRequest;
    const request: RateLimitRequest = {
      domain: wire.domain ?? "",
      descriptors: (wire.descriptors ?? []).map(({ entries = [] }) =>
        entries.map(({ key = "", value = "" }) => [key, value] as const),
      ),
    };
    requests.push(request);
    const code = allows(request) ? "OK" : "OVER_LIMIT";
    const currentLimit = { requestsPerUnit: 7, unit: "MINUTE" };
    const statuses = request.descriptors.map(() => ({
      code,
      currentLimit,
      limitRemaining: 3,
      durationUntilReset: { seconds: 20 },
    }));
    return { overallCode: code, statuses };
  };
  const { port } = await startGrpc({
    "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit": envoyMethod(
      "envoy.service.ratelimit.v3.RateLimitRequest",
      "envoy.service.ratelimit.v3.RateLimitResponse",
      shouldRateLimit,
    ),
  });
  return { objects: extensionService("rls", port), requests };
}

/** A request to an authorization service. */
export interface CheckRequest {
  readonly host: string;
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly context: Readonly<Record<string, string>>;
}

/** Its response: headers for the backend, or the status for the client. */
export type Verdict =
  | { readonly allow: true; readonly headers?: Readonly<Record<string, string>> }
  | { readonly allow: false; readonly status: number; readonly body?: string };

interface WireCheckRequest {
  readonly attributes?: {
    readonly request?: {
      readonly http?: Partial<Omit<CheckRequest, "context">> & { readonly rawBody?: string };
    };
    readonly contextExtensions?: Readonly<Record<string, string>>;
  };
}

/** Starts a gRPC authorization service, `infra/auth`. */
export async function startAuthorization(
  decide: (request: CheckRequest) => Verdict,
): Promise<Service<CheckRequest>> {
  const requests: CheckRequest[] = [];
  const check = (message: Message): Message => {
    const { attributes } = message as WireCheckRequest;
    const {
      host = "",
      path = "",
      method = "",
      headers = {},
      body,
      rawBody = "",
    } = attributes?.request?.http ?? {};
    const context = attributes?.contextExtensions ?? {};
    const text = body ?? Buffer.from(rawBody, "base64").toString();
    const request = { host, path, method, headers, body: text, context };
    requests.push(request);
    return writeVerdict(decide(request));
  };
  const { port } = await startGrpc({
    "/envoy.service.auth.v3.Authorization/Check": envoyMethod(
      "envoy.service.auth.v3.CheckRequest",
      "envoy.service.auth.v3.CheckResponse",
      check,
    ),
  });
  return { objects: extensionService("auth", port), requests };
}

const PERMISSION_DENIED = 7;

function writeVerdict(verdict: Verdict): Message {
  if (!verdict.allow) {
    const { status, body = "" } = verdict;
    return { status: { code: PERMISSION_DENIED }, deniedResponse: { status: { code: status }, body } };
  }
  const headers = Object.entries(verdict.headers ?? {}).map(([key, value]) => ({ header: { key, value } }));
  return { status: { code: 0 }, okResponse: { headers } };
}

/** Starts an OpenTelemetry collector, `infra/otel`, that records requests unparsed. */
export async function startCollector(): Promise<Service<Buffer>> {
  const requests: Buffer[] = [];
  const { port } = await startGrpc({
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export": (message) => {
      requests.push(message);
      return new Uint8Array();
    },
  });
  return { objects: extensionService("otel", port), requests };
}
