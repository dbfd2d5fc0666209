import { moreServers } from "./nginx-more-probes.js";
import { oddServers } from "./nginx-odd.js";

/**
 * The server blocks that ingress-nginx's rules imply for the hosts of `nginx-probes.ts`, written out by hand: what nginx itself makes of
 * locations, rewrites and the order of its phases.
 */
export function nginxConf(ports: {
  readonly listen: number;
  readonly web: number;
  readonly api: number;
  /** The backend of `nginx-odd.ts`. */
  readonly odd: number;
  readonly folder: string;
}): string {
  const { listen, web, api, odd, folder } = ports;
  const to = (port: number): string => `proxy_pass http://127.0.0.1:${port};`;
  const server = (name: string, body: string): string =>
    `server { listen 127.0.0.1:${listen}; server_name ${name}; ${body} }`;
  const corsHeaders = `
      if ($http_origin ~* "^https://[A-Za-z0-9-]+\\.x\\.test$") { set $cors "true"; }
      if ($request_method = OPTIONS) { set $cors "\${cors}options"; }`;
  const add = `add_header Access-Control-Allow-Origin $http_origin always;
      add_header Access-Control-Allow-Credentials true always;
      add_header Access-Control-Max-Age 1728000 always;`;
  return `
# Workers read the files of the folder; without the rights of root nginx leaves this out.
user root;
daemon off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events { }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  port_in_redirect off;
  limit_req_zone $binary_remote_addr zone=x:1m rate=1r/s;
  limit_req_status 503;
  proxy_set_header Host $http_host;
  ${server("d.test", `location /foo/ { ${to(web)} } location = /foo { ${to(web)} } location / { ${to(api)} }`)}
  ${server("e.test", `location /foo/ { ${to(web)} } location / { return 404; }`)}
  ${server("f.test", `location ~* "^/foo" { ${to(web)} } location ~* "^/bar" { ${to(api)} } location ~* "^/" { return 404; }`)}
  ${server("g.test", `location ~* "^/something(/|$)(.*)" { rewrite "(?i)/something(/|$)(.*)" /$2 break; ${to(web)} } location ~* "^/" { return 404; }`)}
  ${server("h.test", `location ~* "^/foo" { rewrite "(?i)/foo" / break; ${to(web)} } location ~* "^/" { return 404; }`)}
  ${server("j.test", `location ~* "^/foo/bar/[a-z]{3}" { rewrite "(?i)/foo/bar/[a-z]{3}" /new break; ${to(api)} } location ~* "^/foo/bar/bar" { ${to(web)} } location ~* "^/" { return 404; }`)}
  ${server("k.test", "location / { return 301 https://www.x.test/new; }")}
  ${server("l.test", "location / { return 302 https://t.x.test; }")}
  ${server("n.test", `if ($uri = /) { return 302 $scheme://$http_host/ui; } location / { ${to(web)} }`)}
  ${server("p.test", `location / { auth_basic "R"; auth_basic_user_file ${folder}/passwords; proxy_set_header Authorization ""; ${to(web)} }`)}
  ${server("r.test", `location / { allow 192.0.2.0/24; deny all; ${to(web)} }`)}
  ${server(
    "t.test",
    `location / { set $cors ""; ${corsHeaders}
      if ($cors = "trueoptions") { ${add} return 204; }
      set $to /_plain; if ($cors = "true") { set $to /_cors; } rewrite ^ $to last; }
    location = /_cors { internal; ${add} auth_basic ""; auth_basic_user_file ${folder}/passwords; ${to(web)} }
    location = /_plain { internal; auth_basic ""; auth_basic_user_file ${folder}/passwords; ${to(web)} }`,
  )}
  ${server("x.test", `location / { limit_req zone=x burst=2 nodelay; ${to(web)} }`)}
  ${server("y.test", `client_max_body_size 8k; location / { auth_basic "R"; auth_basic_user_file ${folder}/passwords; ${to(web)} }`)}
  ${server("~^[\\w-]+\\.ad\\.test$", `location / { ${to(web)} }`)}
  ${server("ah.test", `location /metrics { deny all; } location / { ${to(web)} }`)}
  ${server("ai.test", `location /a/ { ${to(web)} } location = /a { ${to(web)} } location / { return 404; }`)}
  ${oddServers(server, odd)}
  ${moreServers(server, { to: to(web), folder })}
  server { listen 127.0.0.1:${listen} default_server; return 404; }
}
`;
}
