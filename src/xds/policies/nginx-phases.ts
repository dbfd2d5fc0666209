import type { Json } from "../../gen/envoy.js";
import type { NginxAnswers, NginxErrorPages, NginxPhases } from "../../graph/policies/nginx-phases.js";
import { answersScript, bodiesScript, noted, phasesScript } from "./nginx-scripts.js";
import {
  type Chain,
  type ChainFilter,
  configOf,
  type FilterConfigs,
  facts,
  type RouteWriting,
  type WrittenPolicy,
} from "./policy.js";

const lua = "type.googleapis.com/envoy.extensions.filters.http.lua.v3" as const;

/** Whether a chain may have routes of ingress-nginx. */
const isAsked = ({ settings, host }: Chain): boolean =>
  settings.ingressNginx !== undefined &&
  (host === undefined || host.routes.some(({ policies }) => policies.nginxPhases !== undefined));

const filter: ChainFilter = {
  name: "isoline.ingress_nginx",
  stage: "request",
  disabled: true,
  write: (chain) =>
    isAsked(chain)
      ? { "@type": `${lua}.Lua`, source_codes: { [noted]: { inline_string: phasesScript } } }
      : undefined,
};

export const passedFilter: ChainFilter = {
  name: "isoline.passed",
  stage: "passed",
  write: (chain) =>
    isAsked(chain)
      ? {
          "@type": "type.googleapis.com/envoy.extensions.filters.http.set_metadata.v3.Config",
          metadata: [{ metadata_namespace: noted, allow_overwrite: true, value: { passed: true } }],
        }
      : undefined,
};

export const bodiesFilter: ChainFilter = {
  name: "isoline.ingress_nginx_bodies",
  stage: "bodies",
  disabled: true,
  write: (chain) =>
    isAsked(chain)
      ? { "@type": `${lua}.Lua`, source_codes: { [noted]: { inline_string: bodiesScript } } }
      : undefined,
};

const changesAnswers = ({ answers, errorPages }: NginxPhases): boolean =>
  answers !== undefined || errorPages !== undefined;

/** The script is long: chains of a host without such routes omit it. */
export const answersFilter: ChainFilter = {
  name: "isoline.ingress_nginx_answers",
  stage: "request",
  disabled: true,
  write: (chain) =>
    isAsked(chain) &&
    (chain.host?.routes.some(({ policies }) => changesAnswers(policies.nginxPhases ?? {})) ?? true)
      ? { "@type": `${lua}.Lua`, source_codes: { [noted]: { inline_string: answersScript } } }
      : undefined,
};

/** The context of the first script. Members that are absent are not in it. */
function contextOf(phases: NginxPhases): { readonly [key: string]: Json } {
  const { bodyLimit, originalForwarded, realm, asks, askedHeaders, signIn, location } = phases;
  return {
    ...(bodyLimit === undefined ? {} : { body_limit: bodyLimit }),
    ...(originalForwarded ? { original_forwarded: true } : {}),
    ...(realm === undefined ? {} : { realm }),
    ...(asks ? { asks: true } : {}),
    ...(askedHeaders?.length ? { answered: askedHeaders } : {}),
    ...(signIn
      ? {
          sign_in: signIn.parts.map((part) => ({ ...part })),
          ...(signIn.append ? { append: signIn.append } : {}),
        }
      : {}),
    ...(location
      ? {
          location: {
            ...(location.stripPort ? { strip_port: true } : {}),
            ...(location.stripSlash ? { strip_slash: true } : {}),
            ...(location.relative ? { relative: true } : {}),
          },
        }
      : {}),
  };
}

const answersContextOf = (
  { answers, errorPages }: NginxPhases,
  nameOf: RouteWriting["nameOf"],
): { readonly [key: string]: Json } => ({
  ...(answers ? { answers: writeAnswers(answers) } : {}),
  ...(errorPages ? { error_pages: writeErrorPages(errorPages, nameOf) } : {}),
});

function writeAnswers({ successHeaders, redirect, cookieDomain, cookiePath, expires }: NginxAnswers): Json {
  return {
    ...(successHeaders ? { success_headers: successHeaders.map((one) => ({ ...one })) } : {}),
    ...(redirect ? { redirect: { ...redirect } } : {}),
    ...(cookieDomain ? { cookie_domain: { ...cookieDomain } } : {}),
    ...(cookiePath ? { cookie_path: { ...cookiePath } } : {}),
    ...(expires ? { expires: { ...expires } } : {}),
    ...(cookieDomain || cookiePath || expires ? { cookies: true } : {}),
  };
}

const writeErrorPages = (
  { codes, ownOnly, cluster, headers }: NginxErrorPages,
  nameOf: RouteWriting["nameOf"],
): Json => ({
  codes: Object.fromEntries(codes.map((code) => [String(code), true])),
  ...(ownOnly ? { own_only: true } : {}),
  cluster: nameOf(cluster),
  headers: Object.fromEntries(headers.map(({ name, value }) => [name, value])),
});

export const nginxPhases: WrittenPolicy<"nginxPhases"> = {
  filter,
  write: {
    route(phases, { nameOf }) {
      const context = contextOf(phases);
      const { wholeBodies, bodyLimit = 0 } = phases;
      const filters: FilterConfigs = {
        ...(Object.keys(context).length > 0
          ? { [filter.name]: { "@type": `${lua}.LuaPerRoute`, name: noted, filter_context: context } }
          : {}),
        ...(changesAnswers(phases)
          ? {
              [answersFilter.name]: {
                "@type": `${lua}.LuaPerRoute`,
                name: noted,
                filter_context: answersContextOf(phases, nameOf),
              },
            }
          : {}),
        // The dialect of older Envoys looks for this text.
        ...(wholeBodies
          ? {
              [bodiesFilter.name]: {
                "@type": `${lua}.LuaPerRoute`,
                name: noted,
                filter_context: wholeBodies.raised
                  ? { buffered_limit: bodyLimit, raised: true }
                  : { buffered_limit: bodyLimit },
              },
            }
          : {}),
      };
      return {
        ...(Object.keys(filters).length > 0 ? { filters } : {}),
        ...(wholeBodies?.raised ? { route: { request_body_buffer_limit: bodyLimit } } : {}),
      };
    },
  },
  describe(shown) {
    const context = configOf(shown, filter.name, `${lua}.LuaPerRoute`)?.filter_context;
    const whole = configOf(shown, bodiesFilter.name, `${lua}.LuaPerRoute`);
    const limit = context?.body_limit;
    return facts({
      "request body":
        typeof limit === "number" && `${limit} bytes at most${whole ? "" : " by Content-Length"}`,
      "error pages":
        configOf(shown, answersFilter.name, `${lua}.LuaPerRoute`)?.filter_context?.error_pages !==
          undefined && "some responses are replaced by those of another backend",
      "sign-in": context?.sign_in !== undefined && "401 of the authorization leads to a sign-in page",
    });
  },
};
