{{/* A file of this folder, in the namespaces of this release: (list $ "service.yaml"). */}}
{{- define "entrance.text" -}}
{{- $root := first . }}
{{- $text := $root.Files.Get (last .) }}
{{- if not $text }}{{ fail (printf "the chart has no file %s: pack it anew" (last .)) }}{{ end }}
{{- $text = regexReplaceAll "(?m)namespace: entrance-nodes$" $text (printf "namespace: %s" $root.Values.nodes.namespace) }}
{{- $text = regexReplaceAll "(?m)namespace: entrance$" $text (printf "namespace: %s" $root.Release.Namespace) }}
{{- $text = replace ".entrance-nodes.svc" (printf ".%s.svc" $root.Values.nodes.namespace) $text }}
{{- $text = replace ".entrance.svc" (printf ".%s.svc" $root.Release.Namespace) $text }}
{{- $text | replace "[kube-system, entrance]" (printf "[kube-system, %s]" $root.Release.Namespace) }}
{{- end }}

{{/* A pod's place in the cluster, by the values that say it: (list PODSPEC VALUES). */}}
{{- define "entrance.place" -}}
{{- $spec := first . }}
{{- range $field := list "nodeSelector" "tolerations" "affinity" "priorityClassName" "imagePullSecrets" }}
{{- with get (last $) $field }}{{ $_ := set $spec $field . }}{{ end }}
{{- end }}
{{- end }}
