import { error, warning } from "./code.js";

/** The codes for Ingresses of ingress-nginx. */
export const nginxCodes = {
  ConfigMapNotFound: error(
    "The ConfigMap that the setting `ingressNginx` names is not there. The defaults of ingress-nginx hold.",
    "Correct the name, or apply the ConfigMap.",
    "`ingressNginx: {configMap: ingress-nginx/controler}`.",
  ),
  NginxAnnotationNoEffect: warning(
    "An annotation of ingress-nginx, or a part of what it says, has no effect. The message says why.",
    "Remove it, or do what the message says.",
    '`nginx.ingress.kubernetes.io/custom-http-errors: "404"`.',
  ),
  NginxAnnotationNotNeeded: warning(
    "An annotation of ingress-nginx is about nginx itself, such as the size of a buffer. Envoy needs nothing for it.",
    "Remove it once ingress-nginx no longer serves the Ingress, or suppress the code.",
    '`nginx.ingress.kubernetes.io/proxy-buffer-size: "16k"`.',
  ),
  NginxAnnotationRefused: error(
    "What an annotation of ingress-nginx asks for can't be kept. The paths of its Ingress answer 503, or its whole host 403 or 503, so that none of them is open.",
    "Correct the value that the message names, or use what [ingress-nginx.md](ingress-nginx.md) says.",
    "`nginx.ingress.kubernetes.io/auth-type: digest`.",
  ),
  NginxOptionNoEffect: warning(
    "An option of ingress-nginx's ConfigMap has no effect.",
    "Use the setting that the message names, or remove the option.",
    '`use-gzip: "true"` in the ConfigMap.',
  ),
  NginxOptionRefused: error(
    "An option of ingress-nginx's ConfigMap restricts access in a way that Envoy has no counterpart for. All Ingresses of its classes answer 503.",
    "Remove the option, or protect the hosts in another way first.",
    "`block-user-agents: curl` in the ConfigMap.",
  ),
  NginxReferenceUnresolved: error(
    "An annotation of ingress-nginx needs a Secret, or an option of the ConfigMap, that does not exist. The paths of its Ingress answer 503, or its whole host 403.",
    "Apply the Secret, or set the option in the ConfigMap of the setting `ingressNginx`.",
    "`nginx.ingress.kubernetes.io/auth-secret: passwords` without a Secret of this name.",
  ),
  NginxRegexHost: warning(
    "Another Ingress of the host makes all its paths regular expressions, as with ingress-nginx: they match in any case, and longer paths, too.",
    "Give the paths with `use-regex` or `rewrite-target` a host of their own.",
    "`rewrite-target: /$2` in one Ingress, and a path `/foo` in another one of the same host.",
  ),
} as const;
