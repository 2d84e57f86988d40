/** Who is believed when telling of a client: load balancers in front, by PROXY protocol or by X-Forwarded-*. */
import { isIP } from "node:net";
import { NodeSetupError } from "./setup-error.ts";

export type ProxyProtocolListener = "http" | "https" | "tcp";

export interface Trust {
  readonly proxies: readonly string[];
  readonly proxyProtocol: readonly ProxyProtocolListener[];
}

const MAX_PROXIES = 256;
const LISTENERS: readonly string[] = ["http", "https", "tcp"] satisfies ProxyProtocolListener[];

function checkRange(text: string): string {
  const [base = "", bits, more] = text.split("/");
  const family = base.includes("%") ? 0 : isIP(base);
  const most = family === 4 ? 32 : 128;
  const isMask = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
  if (family === 0 || !isMask || more !== undefined) {
    throw new NodeSetupError(`a trusted proxy must be an IP address or a range such as 10.0.0.0/8, not ${text}`);
  }
  return text;
}

export function checkTrust(proxies: readonly string[], proxyProtocol: readonly string[]): Trust {
  if (proxies.length > MAX_PROXIES) throw new NodeSetupError(`a node takes at most ${MAX_PROXIES} trusted proxies`);
  const isListener = (name: string): name is ProxyProtocolListener => LISTENERS.includes(name);
  const wrong = proxyProtocol.find((name) => !isListener(name));
  if (wrong !== undefined)
    throw new NodeSetupError(`the PROXY protocol can be expected on http, https and tcp, not on ${wrong}`);
  if (proxyProtocol.length > 0 && proxies.length === 0) {
    throw new NodeSetupError(
      "who sends the PROXY protocol must be known: name the load balancer's addresses as trusted proxies",
    );
  }
  return { proxies: proxies.map(checkRange), proxyProtocol: proxyProtocol.filter(isListener) };
}

/**
 * node/trusted.conf, part of http {}: who the client is, and what is believed of what a trusted peer says. The peer is
 * whoever connects, or whom the PROXY protocol of a trusted one names. Nothing where nobody is trusted.
 */
export function trustedConf({ proxies }: Trust, ports: { readonly http: number; readonly https: number }): string {
  if (proxies.length === 0) return "";
  const lines = [
    ...proxies.map((range) => `set_real_ip_from ${range};`),
    "real_ip_header X-Forwarded-For;",
    "real_ip_recursive on;",
    'map $proxy_protocol_addr $peer { "" $realip_remote_addr; default $remote_addr; }',
    `geo $peer $peer_is_trusted { default 0; ${proxies.map((range) => `${range} 1;`).join(" ")} }`,
    'map $http_x_forwarded_for $chain { "" $peer; default "$http_x_forwarded_for, $peer"; }',
    "map $peer_is_trusted $forwarded_for { 1 $chain; default $remote_addr; }",
    "map $peer_is_trusted:$http_x_forwarded_proto $forwarded_proto { 1:http http; 1:https https; default $scheme; }",
    `map $forwarded_proto $port_of_proto { https ${ports.https}; default ${ports.http}; }`,
    'map $peer_is_trusted:$http_x_forwarded_port $forwarded_port { "~^1:(?<port_told>[1-9][0-9]{0,4})$" $port_told; default $port_of_proto; }',
    'map $peer_is_trusted:$http_x_forwarded_host $forwarded_host { "~^1:(?<host_told>[a-zA-Z0-9_.:-]{1,255}|\\[[0-9a-fA-F:.]+\\](:[0-9]+)?)$" $host_told; default $http_host; }',
  ];
  return `${lines.join("\n")}\n`;
}

const SAID: Readonly<Record<string, string>> = {
  "X-Forwarded-For": "$forwarded_for",
  "X-Forwarded-Proto": "$forwarded_proto",
  "X-Forwarded-Port": "$forwarded_port",
  "X-Forwarded-Host": "$forwarded_host",
};

/** What backends are told in a configuration file, with what trusted peers said instead of what this node sees. */
export function believing(trust: Trust, text: string): string {
  if (trust.proxies.length === 0) return text;
  return text.replace(
    /^(\s*(?:proxy|grpc)_set_header (X-Forwarded-\w+)) [^;]+;/gm,
    (line, start: string, name: string) => {
      const said = SAID[name];
      return said === undefined ? line : `${start} ${said};`;
    },
  );
}

/** Part of `location /`: a trusted peer's client may have come by https, though it did not come by TLS: that is weighed. */
export function fastUnlessTold({ proxies }: Trust): string {
  return proxies.length === 0 ? "" : "if ($forwarded_proto != $scheme) {\n    return 418;\n}\n";
}

/** What a listener that expects the PROXY protocol has beside its address and in its server. */
export function proxyProtocolOf(
  { proxyProtocol }: Trust,
  listener: string,
): { readonly flag: string; readonly lines: string } {
  const isExpected = proxyProtocol.some((name) => name === listener);
  return isExpected ? { flag: " proxy_protocol", lines: "real_ip_header proxy_protocol;\n" } : { flag: "", lines: "" };
}
