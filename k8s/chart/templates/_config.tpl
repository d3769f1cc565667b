{{- /* Made of the manifests in k8s/ by `make manifests ARGS=--write`, which overwrites it. */}}
{{- define "pixelfleet.config.matchmaker" }}
{{- $root := .root }}
PIXELFLEET_MATCHMAKER_APP: {{ (include "pixelfleet.streams" $root | fromJsonArray | first).app | quote }}
PIXELFLEET_MATCHMAKER_LEGACY_LINK: 'false'
PIXELFLEET_MATCHMAKER_LOG_FORMAT: json
PIXELFLEET_MATCHMAKER_POLICY: spread
PIXELFLEET_MATCHMAKER_TRUSTED_PROXIES: '1'
PIXELFLEET_MATCHMAKER_WARM: {{ include "pixelfleet.warm" $root | quote }}
{{- if eq $root.Values.players.auth "jwt" }}
PIXELFLEET_MATCHMAKER_AUTH: jwt
{{- else if eq $root.Values.players.auth "link" }}
PIXELFLEET_MATCHMAKER_AUTH: link
{{- end }}
{{- if eq $root.Values.players.auth "jwt" }}
PIXELFLEET_MATCHMAKER_JWT_AUDIENCE: {{ join "," $root.Values.players.jwt.audience | quote }}
PIXELFLEET_MATCHMAKER_JWT_ISSUER: {{ $root.Values.players.jwt.issuer | quote }}
{{- end }}
{{- if ne (join "," $root.Values.players.labels) "region,version" }}
PIXELFLEET_MATCHMAKER_LABELS: {{ join "," $root.Values.players.labels | quote }}
{{- end }}
{{- end }}
{{- define "pixelfleet.config.router" }}
{{- $root := .root }}
PIXELFLEET_ROUTER_LOG_FORMAT: json
PIXELFLEET_ROUTER_MATCHMAKER: ws://matchmakers:3000
PIXELFLEET_ROUTER_TRUSTED_PROXIES: {{ $root.Values.ingress.trustedProxies | quote }}
{{- if $root.Values.ingress.path }}
PIXELFLEET_ROUTER_PATH_PREFIX: {{ $root.Values.ingress.path | quote }}
{{- end }}
{{- if $root.Values.users.proxy }}
PIXELFLEET_ROUTER_PROXY_AUTH: basic
{{- else if eq $root.Values.players.auth "jwt" }}
PIXELFLEET_ROUTER_PROXY_AUTH: closed
{{- end }}
{{- if or $root.Values.users.proxy $root.Values.users.dashboard }}
PIXELFLEET_ROUTER_USER_ROLE: admin
{{- end }}
{{- if $root.Values.users.dashboard }}
PIXELFLEET_ROUTER_DASHBOARD_AUTH: basic
{{- else if eq $root.Values.players.auth "jwt" }}
PIXELFLEET_ROUTER_DASHBOARD_AUTH: closed
{{- end }}
{{- if eq $root.Values.players.auth "jwt" }}
PIXELFLEET_ROUTER_AUTH: jwt
{{- else if eq $root.Values.players.auth "link" }}
PIXELFLEET_ROUTER_AUTH: link
{{- end }}
{{- if eq $root.Values.players.auth "jwt" }}
PIXELFLEET_ROUTER_JWT_AUDIENCE: {{ join "," $root.Values.players.jwt.audience | quote }}
PIXELFLEET_ROUTER_JWT_ISSUER: {{ $root.Values.players.jwt.issuer | quote }}
{{- end }}
{{- end }}
{{- define "pixelfleet.config.signalserver" }}
{{- $root := .root }}
{{- $app := .app }}
PIXELFLEET_SIGNALSERVER_APP: {{ $app.app | quote }}
PIXELFLEET_SIGNALSERVER_CAPACITY: '1'
PIXELFLEET_SIGNALSERVER_DRAIN_SECONDS: '3600'
PIXELFLEET_SIGNALSERVER_LABELS: {{ $app.labels | toJson | quote }}
PIXELFLEET_SIGNALSERVER_LOG_FORMAT: json
PIXELFLEET_SIGNALSERVER_RTC_CONFIG_URL: http://turn-api:3480/
{{- end }}
{{- define "pixelfleet.config.streamer" }}
{{- $root := .root }}
{{- $app := .app }}
MAX_FPS: '30'
NVIDIA_DRIVER_CAPABILITIES: compute,display,graphics,utility,video
RES_X: '1920'
RES_Y: '1080'
SIGNAL_URL: ws://127.0.0.1:8888
{{- end }}
{{- define "pixelfleet.config.turn" }}
{{- $root := .root }}
METRICS_PORT: {{ int $root.Values.turn.metricsPort | quote }}
RELAYS_FIRST: {{ int $root.Values.turn.relayPorts.first | quote }}
RELAYS_LAST: {{ int $root.Values.turn.relayPorts.last | quote }}
STREAMERS_FIRST: {{ include "pixelfleet.firstAddress" $root.Values.turn.podNetwork | quote }}
STREAMERS_LAST: {{ include "pixelfleet.lastAddress" $root.Values.turn.podNetwork | quote }}
TURN_PORT: {{ int $root.Values.turn.port | quote }}
{{- end }}
{{- define "pixelfleet.config.turn-api" }}
{{- $root := .root }}
PIXELFLEET_TURN_API_LOG_FORMAT: json
{{- if eq $root.Values.turn.nodeAddress "external" }}
PIXELFLEET_TURN_API_NODE_ADDRESS: external
{{- else }}
PIXELFLEET_TURN_API_NODE_ADDRESS: internal
{{- end }}
PIXELFLEET_TURN_API_POD_LABEL: app.kubernetes.io/name=turn,app.kubernetes.io/part-of=pixelfleet
{{- if eq $root.Values.turn.nodeAddress "external" }}
PIXELFLEET_TURN_API_NODE_LABEL: app.pixel/turn=true
{{- end }}
{{- end }}
{{- define "pixelfleet.config.turn-config" }}
{{- $root := .root }}
turnserver.conf: |
  # coturn for players behind any network. docker-compose and Kubernetes mount this file; docs/how-to/turn.md lists the
  # additions: the secret in a copy of this file, and on the command line addresses, certificates, and the network of the
  # streamers.

  # This must be first, so that no line is logged to a file.
  log-file=stdout
  simple-log

  # Credentials are those that `pixelfleet turn-api` issues; the secret is added as static-auth-secret=.
  use-auth-secret
  realm=pixelfleet
  fingerprint
  stale-nonce=600

  # Ports: STUN and TURN over UDP and TCP on the first, over TLS (if --cert and --pkey are given) on the second.
  listening-port=3478
  tls-listening-port=5349
  # Before 4.17 coturn also starts DTLS wherever there are certificates.
  no-dtls

  # Each relayed player occupies one or two of these. The firewall must allow UDP to all of them.
  min-port=49152
  max-port=65535

  # Video uses UDP. TCP relays would let a player connect to internal servers.
  no-tcp-relay

  # Limit of allocations for each name: a browser makes one for each of its addresses and transports. The name is that of
  # a session, or of one connection of a streamer, which makes its allocations for all its players under that name.
  user-quota=64

  # Addresses to which a relay may send. Streamers are in a private network, which --allowed-peer-ip=FIRST-LAST allows;
  # that option takes precedence over the ranges denied here. No other internal address can be reached.
  no-multicast-peers
  denied-peer-ip=0.0.0.0-0.255.255.255
  denied-peer-ip=10.0.0.0-10.255.255.255
  denied-peer-ip=100.64.0.0-100.127.255.255
  denied-peer-ip=127.0.0.0-127.255.255.255
  # Link-local addresses, including the metadata services of cloud providers.
  denied-peer-ip=169.254.0.0-169.254.255.255
  denied-peer-ip=172.16.0.0-172.31.255.255
  denied-peer-ip=192.0.0.0-192.0.0.255
  denied-peer-ip=192.0.2.0-192.0.2.255
  denied-peer-ip=192.88.99.0-192.88.99.255
  denied-peer-ip=192.168.0.0-192.168.255.255
  denied-peer-ip=198.18.0.0-198.19.255.255
  denied-peer-ip=198.51.100.0-198.51.100.255
  denied-peer-ip=203.0.113.0-203.0.113.255
  denied-peer-ip=224.0.0.0-255.255.255.255
  # Not written as the range ::-::1, because coturn then matches every IPv4 address.
  denied-peer-ip=::1
  # IPv4 addresses embedded in IPv6: mapped, NAT64, Teredo, 6to4.
  denied-peer-ip=::ffff:0:0-::ffff:ffff:ffff
  denied-peer-ip=64:ff9b::-64:ff9b::ffff:ffff
  denied-peer-ip=64:ff9b:1::-64:ff9b:1:ffff:ffff:ffff:ffff:ffff
  denied-peer-ip=2001::-2001:0:ffff:ffff:ffff:ffff:ffff:ffff
  denied-peer-ip=2002::-2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff
  # Unique local, link-local, multicast. fd00:ec2::254 is a metadata service.
  denied-peer-ip=fc00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
  denied-peer-ip=fe80::-febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff
  denied-peer-ip=ff00::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff

  # Metrics on port 9641. No label for the user: each session has its own, and Prometheus would keep a series for each.
  prometheus

  # No command-line interface.
  no-cli

  pidfile=/tmp/turnserver.pid
{{- end }}
