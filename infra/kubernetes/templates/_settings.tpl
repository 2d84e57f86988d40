{{/* The environment of Entrance, as YAML. */}}
{{- define "entrance.settings" -}}
{{- $nodes := .Values.nodes }}
{{- $balancers := list }}
{{- range .Values.balancers }}
{{- $balancer := deepCopy . }}
{{- if not (or .nodes .service) }}
{{- if not $nodes.install }}{{ fail (printf "balancers: %s has no nodes: give it a list of their URLs as nodes, a headless Service as service (NAMESPACE/NAME:PORT), or set nodes.install" .name) }}{{ end }}
{{- $_ := set $balancer "service" (printf "%s/entrance-node:admin" $nodes.namespace) }}
{{- end }}
{{- $balancers = append $balancers $balancer }}
{{- end }}
{{- $settings := dict "ENTRANCE_STORE" .Values.store.type "ENTRANCE_BALANCERS" (toJson $balancers) }}
{{- if eq .Values.store.type "etcd" }}
{{- $_ := set $settings "ENTRANCE_ETCD_ENDPOINTS" (include "entrance.endpoints" .) }}
{{- else }}
{{- $_ := set $settings "ENTRANCE_DYNAMODB_TABLE" .Values.store.dynamodb.table }}
{{- with .Values.store.dynamodb.region }}{{ $_ := set $settings "AWS_REGION" . }}{{ end }}
{{- with .Values.store.dynamodb.endpoint }}{{ $_ := set $settings "ENTRANCE_DYNAMODB_ENDPOINT" . }}{{ end }}
{{- end }}
{{- if $nodes.install }}
{{- $_ := set $settings "ENTRANCE_NODE_TLS_SECRET" (printf "%s/entrance-node-certificate" $nodes.namespace) }}
{{- $_ := set $settings "ENTRANCE_NODE_SERVICE" (printf "%s/entrance-node" $nodes.namespace) }}
{{- end }}
{{- with .Values.generation }}{{ $_ := set $settings "ENTRANCE_GENERATION" (toString .) }}{{ end }}
{{- range $name, $_ := .Values.settings }}
{{- if regexMatch "^(ENTRANCE_(NODE_KEY|WEBHOOK_TOKEN|OPERATOR_TOKEN|SEAL_KEY|ETCD_USER|ETCD_PASSWORD|KUBE_TOKEN)|AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN))$" $name }}
{{- fail (printf "settings: %s is a secret: put it into the Secret entrance-keys" $name) }}
{{- end }}
{{- if or (hasKey $settings $name) (regexMatch "^ENTRANCE_(LISTEN|SERVICE|WEBHOOKS|TLS_.*|GENERATION|ETCD_ENDPOINTS|DYNAMODB_.*)$" $name) }}
{{- fail (printf "settings: %s is said by the chart itself: by another value, or as it must be" $name) }}
{{- end }}
{{- end }}
{{- toYaml (merge $settings .Values.settings) }}
{{- end }}

{{- define "entrance.endpoints" -}}
{{- $etcd := .Values.store.etcd }}
{{- if $etcd.install }}
{{- $members := list }}
{{- range until 3 }}{{ $members = append $members (printf "http://entrance-etcd-%d.entrance-etcd.%s.svc:2379" . $.Release.Namespace) }}{{ end }}
{{- join "," $members }}
{{- else }}
{{- if not $etcd.endpoints }}{{ fail "store.etcd.endpoints: name your etcd's members, or set store.etcd.install" }}{{ end }}
{{- join "," $etcd.endpoints }}
{{- end }}
{{- end }}

{{/* What a translation depends on; with a change of it the generation rises. Of settings, as an object. */}}
{{- define "entrance.translation" -}}
{{- $balancers := list }}
{{- range fromJsonArray (get . "ENTRANCE_BALANCERS") }}{{ $balancers = append $balancers (pick . "name" "classes") }}{{ end }}
{{- toJson (list $balancers (get . "ENTRANCE_PREFIX") (get . "ENTRANCE_HTTP_SUFFIX")) }}
{{- end }}
