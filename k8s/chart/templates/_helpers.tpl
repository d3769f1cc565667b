{{- /* What the other templates use. The templates beside this file, secrets.yaml and branding.yaml are made of the manifests. */}}

{{- define "pixelfleet.labels" -}}
app.kubernetes.io/instance: {{ .Release.Namespace | quote }}
app.kubernetes.io/part-of: pixelfleet
{{- end }}

{{- define "pixelfleet.image" -}}
{{- with .Values.image }}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{- define "pixelfleet.streamerImage" -}}
{{- .Values.images.streamer | default (printf "%s-streamer:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion)) }}
{{- end }}

{{- define "pixelfleet.pullSecrets" -}}
{{- $secrets := list }}
{{- range .Values.imagePullSecrets }}{{ $secrets = append $secrets (dict "name" .) }}{{ end }}
{{- toJson $secrets }}
{{- end }}

{{- /*
The versions of all applications as a JSON list: app (the name for players), name (that of its objects, empty for the
only application), suffix, percent of the application's streams, and the values of `application`.
*/}}
{{- define "pixelfleet.streams" -}}
{{- $root := . }}
{{- $streams := list }}
{{- if .Values.applications }}
{{- range .Values.applications }}
{{- $app := deepCopy $root.Values.application }}
{{- range $key, $value := . }}{{ $_ := set $app $key $value }}{{ end }}
{{- $_ := set $app "app" .name }}
{{- include "pixelfleet.checkStreams" (dict "root" $root "app" $app) }}
{{- if .canary }}
{{- $percent := int (.canary.percent | default 10) }}
{{- $new := deepCopy $app }}
{{- $_ = set $new "name" (print .name "-canary") }}
{{- $_ = set $new "image" .canary.image }}
{{- $_ = set $new "min" (div (add (mul (int $app.min) $percent) 99) 100) }}
{{- $_ = set $new "max" (max 1 (div (add (mul (int $app.max) $percent) 99) 100)) }}
{{- $streams = append $streams (include "pixelfleet.version" (dict "app" $app "percent" (sub 100 $percent)) | fromJson) }}
{{- $streams = append $streams (include "pixelfleet.version" (dict "app" $new "percent" $percent) | fromJson) }}
{{- else }}
{{- $streams = append $streams (merge (dict "percent" 100 "suffix" (print "-" .name)) $app) }}
{{- end }}
{{- end }}
{{- else }}
{{- $app := merge (dict "app" "default" "name" "" "suffix" "" "percent" 100) .Values.application }}
{{- include "pixelfleet.checkStreams" (dict "root" $root "app" $app) }}
{{- $streams = append $streams $app }}
{{- end }}
{{- range $streams }}{{ if .testStreamer }}{{ $_ := set . "gpu" "" }}{{ end }}{{ end }}
{{- toJson $streams }}
{{- end }}

{{- /* One of two versions of an application: its streams have the label `version`, by default the tag or the digest. */}}
{{- define "pixelfleet.version" -}}
{{- $app := .app }}
{{- $image := regexReplaceAll "^.*[/]" $app.image "" }}
{{- $tag := regexFind ":[^@]*" (regexReplaceAll "@.*" $image "") | trimPrefix ":" }}
{{- $version := $tag | default (regexReplaceAll "^.*sha256:" $image "") | trunc 63 }}
{{- $labels := merge (deepCopy $app.labels) (dict "version" $version) }}
{{- toJson (merge (dict "labels" $labels "percent" .percent "suffix" (print "-" $app.name)) $app) }}
{{- end }}

{{- /* Errors that no schema can find. */}}
{{- define "pixelfleet.checkStreams" -}}
{{- $kind := .root.Values.autoscaling.kind }}
{{- $name := .app.app }}
{{- if gt (int .app.min) (int .app.max) }}{{ fail (printf "%s: max must be at least min" $name) }}{{ end }}
{{- if and (hasPrefix "hpa" $kind) (lt (int .app.min) 1) }}
{{- fail (printf "%s: min must be at least 1 with autoscaling.kind=%s; keda scales to zero" $name $kind) }}
{{- end }}
{{- if not (or .app.image .app.testStreamer) }}{{ fail (printf "%s: image is missing" $name) }}{{ end }}
{{- if .root.Values.applications }}
{{- $names := list }}
{{- range .root.Values.applications }}{{ $names = append $names .name }}{{ end }}
{{- if ne (len $names) (len (uniq $names)) }}{{ fail "applications: a name is used twice" }}{{ end }}
{{- if and (eq $kind "hpa-ratio") (gt (len $names) 1) }}
{{- fail "autoscaling.kind: hpa-ratio follows all applications together; use hpa or keda" }}
{{- end }}
{{- if and (eq $kind "hpa") (not (semverCompare ">=1.35-0" .root.Capabilities.KubeVersion.Version)) }}
{{- fail "autoscaling.kind: hpa needs Kubernetes 1.35 or newer with applications; use keda" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "pixelfleet.checkTurn" -}}
{{- $first := int .Values.turn.relayPorts.first }}
{{- $last := int .Values.turn.relayPorts.last }}
{{- if lt (sub $last $first | int) 99 }}{{ fail "turn.relayPorts: must be at least 100 ports" }}{{ end }}
{{- if eq (int .Values.turn.port) (int .Values.turn.metricsPort) }}{{ fail "turn.metricsPort: must differ from turn.port" }}{{ end }}
{{- range list .Values.turn.port .Values.turn.metricsPort }}
{{- if and (ge (int .) $first) (le (int .) $last) }}{{ fail (printf "turn.relayPorts: must not contain the port %d" (int .)) }}{{ end }}
{{- end }}
{{- end }}

{{- define "pixelfleet.warm" -}}
{{- $warm := dict }}
{{- range include "pixelfleet.streams" . | fromJsonArray }}{{ $_ := set $warm .app (int .warm) }}{{ end }}
{{- toJson $warm }}
{{- end }}

{{- /* Each version serves its part of the demand: with 10 % there is one pod for ten slots. */}}
{{- define "pixelfleet.averageValue" -}}
{{- if eq (int .percent) 100 }}1{{ else }}{{ div 100000 (int .percent) }}m{{ end }}
{{- end }}

{{- /* KEDA's query, as in the components keda-stream and before-1-35. */}}
{{- define "pixelfleet.query" -}}
{{- $part := printf "avg(pixelfleet_streams_wanted{app=\"%s\",namespace=\"%s\"})" .app.app .root.Release.Namespace }}
{{- if ne (int .app.percent) 100 }}{{ $part = printf "%v * %s" (divf .app.percent 100) $part }}{{ end }}
{{- if semverCompare ">=1.35-0" .root.Capabilities.KubeVersion.Version }}{{ $part }}{{ else }}
{{- $labels := printf "deployment=\"stream%s\",namespace=\"%s\"" .app.suffix .root.Release.Namespace }}
{{- $pods := printf "max(kube_deployment_status_replicas{%s})" $labels }}
{{- printf "clamp_min(%s > scalar(%s), scalar(floor(1.1 * %s) + 1)) or %s" $part $pods $pods $part }}
{{- end }}
{{- end }}

{{- /* The data of ConfigMaps, with the settings that replace them. */}}
{{- define "pixelfleet.config" -}}
{{- $data := dict }}
{{- range $name := .names }}
{{- range $key, $value := printf "%s\n" (include (print "pixelfleet.config." $name) $) | fromYaml }}{{ $_ := set $data $key $value }}{{ end }}
{{- range $key, $value := index $.root.Values.settings $name }}{{ $_ := set $data $key $value }}{{ end }}
{{- if eq $name "streamer" }}{{ range $key, $value := $.app.environment }}{{ $_ := set $data $key $value }}{{ end }}{{ end }}
{{- end }}
{{- toYaml $data }}
{{- end }}

{{- define "pixelfleet.config.branding" }}
{{- toYaml (dict "texts" .root.Values.branding "pictures" .root.Values.brandingPictures) }}
{{- end }}

{{- define "pixelfleet.configSum" -}}
{{- include "pixelfleet.config" . | sha256sum }}
{{- end }}

{{- /*
All secrets by key, made once for each rendering: a given one, or that of the cluster, or a new one. `lookup` finds
nothing in `helm template`.
*/}}
{{- define "pixelfleet.makeSecrets" -}}
{{- if not (hasKey .Values "made") }}
{{- $made := dict }}
{{- $readers := dict "session-key" "matchmaker" "rest-token" "matchmaker" "drain-token" "stream" "turn-secret" "turn" }}
{{- $_ := merge $readers (dict "redis-password" "redis" "link-key" "matchmaker") }}
{{- range $key, $reader := $readers }}
{{- $given := index $.Values.secrets ($key | camelcase | untitle) }}
{{- $known := dig "data" $key "" (lookup "v1" "Secret" $.Release.Namespace $reader | default dict) | b64dec }}
{{- $_ := set $made $key ($given | default $known | default (randAlphaNum 48)) }}
{{- end }}
{{- $bundled := printf "redis://:%s@redis:6379/0" (get $made "redis-password") }}
{{- $_ = set $made "redis-url" (ternary $bundled .Values.redis.url .Values.redis.bundled) }}
{{- $_ = set .Values "made" $made }}
{{- end }}
{{- end }}

{{- /* The keys of each reader's Secret, so that a change restarts its readers only. */}}
{{- define "pixelfleet.secretKeys" -}}
{{- $links := ternary (list "link-key") list (eq .Values.players.auth "link") }}
{{- $calls := ternary (list "rest-token") list (or .Values.users.proxy .Values.users.dashboard) }}
{{- $keys := dict "stream" (list "redis-url" "session-key" "drain-token") "turn" (list "turn-secret") }}
{{- $_ := set $keys "matchmaker" (concat (list "redis-url" "session-key" "rest-token") $links) }}
{{- $_ = set $keys "router" (concat (list "session-key") $calls $links) }}
{{- if .Values.redis.bundled }}{{ $_ = set $keys "redis" (list "redis-password") }}{{ end }}
{{- toJson $keys }}
{{- end }}

{{- /* The data of Secrets. */}}
{{- define "pixelfleet.secret" -}}
{{- include "pixelfleet.makeSecrets" .root }}
{{- $keys := include "pixelfleet.secretKeys" .root | fromJson }}
{{- range $name := .names }}
{{- range $key := index $keys $name }}
{{ $key }}: {{ get $.root.Values.made $key | b64enc }}
{{- end }}
{{- end }}
{{- end }}

{{- define "pixelfleet.secretSum" -}}
{{- if .root.Values.secrets.create }}{{ include "pixelfleet.secret" . | sha256sum }}{{ else }}{{ quote "" }}{{ end }}
{{- end }}

{{- define "pixelfleet.issuerPort" -}}
{{- $url := urlParse .Values.players.jwt.issuer }}
{{- regexFind ":[0-9]+$" $url.host | trimPrefix ":" | default (ternary "80" "443" (eq $url.scheme "http")) }}
{{- end }}

{{- /* An IPv4 network as its first address and its size, two numbers. */}}
{{- define "pixelfleet.network" -}}
{{- $parts := splitList "/" . }}
{{- $number := 0 }}
{{- range splitList "." (first $parts) }}{{ $number = add (mul $number 256) (int .) }}{{ end }}
{{- $size := 1 }}
{{- range until (sub 32 (last $parts | int) | int) }}{{ $size = mul $size 2 }}{{ end }}
{{- if mod $number $size }}{{ fail (printf "turn.podNetwork: %s is no network: its address has host bits" .) }}{{ end }}
{{- printf "%d %d" $number $size }}
{{- end }}

{{- define "pixelfleet.address" -}}
{{- $number := int64 . }}
{{- printf "%d.%d.%d.%d" (div $number 16777216) (mod (div $number 65536) 256) (mod (div $number 256) 256) (mod $number 256) }}
{{- end }}

{{- define "pixelfleet.firstAddress" -}}
{{- include "pixelfleet.address" (include "pixelfleet.network" . | splitList " " | first) }}
{{- end }}

{{- define "pixelfleet.lastAddress" -}}
{{- $network := include "pixelfleet.network" . | splitList " " }}
{{- include "pixelfleet.address" (sub (add (first $network | int64) (last $network | int64)) 1) }}
{{- end }}
