import { messageOf } from "../schema/words.js";
import { ApiError, stalled } from "./api.js";
import { NoAnswer } from "./deadline.js";
import type { ApiResource } from "./resources.js";

/** The failure and its remedy. Codes are stable: logs, status and metrics contain them. */
interface Failure {
  readonly code: FailureCode;
  readonly message: string;
}

/**
 * Why a Kubernetes cluster, or a kind of it, is not followed at the moment. `all`: the cause is the server, its
 * address or this process; it affects all kinds, and is logged once.
 */
const failures = {
  "kube-unauthorized": "all",
  "kube-forbidden": "kind",
  "kube-missing": "kind",
  "kube-expired": "kind",
  "kube-throttled": "kind",
  "kube-refused": "kind",
  "kube-server-error": "kind",
  "kube-invalid-answer": "kind",
  "kube-other-cluster": "all",
  "kube-no-answer": "all",
  "kube-stalled": "kind",
  "kube-unreachable": "all",
  "kube-unknown-host": "all",
  "kube-tls-authority": "all",
  "kube-tls-expired": "all",
  "kube-tls-not-yet-valid": "all",
  "kube-tls-name": "all",
  "kube-tls-protocol": "all",
  "kube-credentials": "all",
  store: "all",
  compile: "kind",
} as const;
export type FailureCode = keyof typeof failures;
export const failureCodes = Object.keys(failures) as readonly FailureCode[];
export const isCommon = (code: FailureCode): boolean => failures[code] === "all";

/** An error of this process while it applied objects of a Kubernetes cluster; the API server works. */
export class LocalError extends Error {
  readonly code: "store" | "compile";

  constructor(cause: unknown) {
    super(messageOf(cause), { cause });
    this.code = isOfStore(cause) ? "store" : "compile";
  }
}

/** The credentials of a kubeconfig can't be read or created. */
export class CredentialsError extends Error {}

/** The API server belongs to another cluster than the followed one. */
export class OtherClusterError extends Error {}

/** Matches errors of both SQLite drivers, of Durable Objects, and of a file system. */
function isOfStore(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = "code" in error ? String(error.code) : "";
  return (
    error.name === "SQLite3Error" ||
    /^(ERR_SQLITE|SQLITE_|ENOSPC|EDQUOT|EROFS|EIO|EACCES)/.test(code) ||
    /SQLITE_|database or disk is full|disk I\/O error|readonly database|database is locked/.test(
      error.message,
    )
  );
}

/** The innermost error of wrappers, such as those of `fetch` and of attempts at several addresses. */
function rootOf(error: unknown): unknown {
  if (error instanceof AggregateError && error.errors.length > 0) return rootOf(error.errors[0]);
  if (error instanceof Error && !("code" in error) && error.cause instanceof Error)
    return rootOf(error.cause);
  return error;
}

const tlsCodes: Readonly<Record<string, FailureCode>> = {
  SELF_SIGNED_CERT_IN_CHAIN: "kube-tls-authority",
  DEPTH_ZERO_SELF_SIGNED_CERT: "kube-tls-authority",
  UNABLE_TO_GET_ISSUER_CERT: "kube-tls-authority",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "kube-tls-authority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "kube-tls-authority",
  CERT_SIGNATURE_FAILURE: "kube-tls-authority",
  CERT_HAS_EXPIRED: "kube-tls-expired",
  CERT_NOT_YET_VALID: "kube-tls-not-yet-valid",
  ERR_TLS_CERT_ALTNAME_INVALID: "kube-tls-name",
  EPROTO: "kube-tls-protocol",
  ENOTFOUND: "kube-unknown-host",
  EAI_AGAIN: "kube-unknown-host",
};

const texts: Readonly<Partial<Record<FailureCode, string>>> = {
  "kube-tls-authority":
    "its certificate comes from an authority that the kubeconfig does not contain; put the cluster's CA into certificate-authority",
  "kube-tls-expired": "its certificate has expired; renew the API server's certificate",
  "kube-tls-not-yet-valid": "its certificate is not valid yet; compare the clocks of both machines",
  "kube-tls-name":
    "its certificate is for other names; use one of them as the server, or set tls-server-name",
  "kube-tls-protocol":
    "the port does not use TLS, or the server refuses the client certificate; check server and client-certificate",
  "kube-unknown-host": "its name has no address; check the server's name and the DNS",
};

/** One line about a failure, with its code: the request, the server, and the remedy. */
export function failureOf(
  { plural, apiVersion }: Pick<ApiResource, "plural" | "apiVersion">,
  error: unknown,
  server: string,
): Failure {
  if (error instanceof LocalError) return localFailure(error, plural);
  if (error instanceof OtherClusterError) return { code: "kube-other-cluster", message: error.message };
  if (error instanceof CredentialsError)
    return { code: "kube-credentials", message: `no credentials for ${server}: ${error.message}` };
  if (error instanceof ApiError) return apiFailure(error, plural, apiVersion, server);
  const at = `${server} for ${plural}`;
  if (error instanceof NoAnswer)
    return {
      code: "kube-no-answer",
      message: `no answer of the API server ${at}: ${error.message}; the request is repeated`,
    };
  const root = rootOf(error);
  const code =
    root instanceof Error && "code" in root
      ? (tlsCodes[String(root.code)] ?? sslCode(String(root.code)))
      : undefined;
  const why =
    (code && texts[code]) ?? `${messageOf(root)}; check that it runs and that the network reaches it`;
  return { code: code ?? "kube-unreachable", message: `can't reach the API server ${at}: ${why}` };
}

const sslCode = (code: string): FailureCode | undefined =>
  /^ERR_(SSL|TLS)_/.test(code) ? "kube-tls-protocol" : undefined;

function localFailure(error: LocalError, plural: string): Failure {
  if (error.code === "store")
    return {
      code: "store",
      message: `the store can't be written: ${error.message}; check the disk of --store; changes are applied once it can be written`,
    };
  // The message of the error is omitted: it may quote objects.
  const { cause } = error;
  const name = cause instanceof Error ? cause.name : "error";
  const place = cause instanceof Error ? (/\n\s*(at [^\n]*)/.exec(cause.stack ?? "")?.[1] ?? "") : "";
  return {
    code: "compile",
    message: `${plural} could not be compiled: unexpected ${name} ${place}; report this`,
  };
}

function apiFailure(error: ApiError, plural: string, apiVersion: string, server: string): Failure {
  const group = apiVersion.includes("/") ? apiVersion.split("/")[0] : '""';
  const { status, message } = error;
  if (error.reason === stalled) return { code: "kube-stalled", message };
  if (status === 401)
    return {
      code: "kube-unauthorized",
      message: `the API server ${server} does not accept the credentials (401) for ${plural}: renew the token or certificate of the kubeconfig`,
    };
  if (status === 403)
    return {
      code: "kube-forbidden",
      message: `not allowed to list and watch ${plural} (403): grant get, list and watch on ${plural} in API group ${group}`,
    };
  if (status === 404)
    return {
      code: "kube-missing",
      message: `${plural} are missing in the API (404); their CRD may have been removed`,
    };
  if (status === 410) return { code: "kube-expired", message: `${message}; they are listed again` };
  const code =
    status === 429
      ? "kube-throttled"
      : status >= 500
        ? "kube-server-error"
        : status === 0
          ? "kube-invalid-answer"
          : "kube-refused";
  const advice =
    status === 0 ? "check that server is the address of a Kubernetes API" : "check the API server's log";
  return { code, message: `${message} (${server}); ${advice}` };
}

/** The `plural` in messages about a failed publication. */
export const publication = { plural: "resources", apiVersion: "" };
