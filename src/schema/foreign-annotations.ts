/** Annotations with which other controllers restrict access. They have no effect here, so the Ingress is open. */
const restricting = new RegExp(
  [
    "^nginx\\.ingress\\.kubernetes\\.io/(?:auth-|(?:white|allow|deny|black)list-source-range|limit-|enable-global-auth|satisfy|enable-modsecurity|modsecurity-|enable-owasp)",
    "^nginx\\.(?:org|com)/(?:basic-auth|jwt-|policies|limit-req)",
    "^ingress\\.kubernetes\\.io/(?:auth-|whitelist-source-range)",
    "^alb\\.ingress\\.kubernetes\\.io/(?:auth-|inbound-cidrs|waf|shield|mutual-authentication|security-groups)",
    "^traefik\\.ingress\\.kubernetes\\.io/router\\.(?:middlewares|tls\\.options)",
    "^haproxy\\.org/(?:allow-list|deny-list|whitelist|blacklist|auth-|client-ca|client-crt|rate-limit)",
    "^haproxy-ingress\\.github\\.io/(?:auth-|oauth|(?:white|allow|deny)list-source-range|limit-|waf)",
    "^konghq\\.com/plugins",
  ].join("|"),
);

/** Whether another controller restricts access because of this annotation of an Ingress. */
export const isForeignRestriction = (name: string): boolean => restricting.test(name);
