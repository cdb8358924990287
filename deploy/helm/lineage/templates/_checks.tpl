{{/* What values.schema.json cannot say, each with the value to change; all of it in one message. */}}
{{- define "lineage.check" -}}
{{- $problems := list }}
{{- if not .Values.image.repository }}
{{- $problems = append $problems "image.repository is missing: the name of your image, without a tag." }}
{{- end }}
{{- if not .Values.issuer }}
{{- $problems = append $problems "issuer is missing: the public URL of the service." }}
{{- end }}
{{- range include "lineage.secretTable" . | fromYamlArray }}
{{- $given := index $.Values.secrets .value }}
{{- if and $given.value $given.existingSecret }}
{{- $problems = append $problems (printf "secrets.%s has a value and an existingSecret: give one of them." .value) }}
{{- else if and .needed (not $given.value) (not $given.existingSecret) }}
{{- $problems = append $problems (printf "secrets.%s is missing: give existingSecret, the name of a Secret that is there, or value." .value) }}
{{- end }}
{{- end }}
{{- if eq (int .Values.containerPorts.http) (int .Values.containerPorts.ops) }}
{{- $problems = append $problems "containerPorts.http and containerPorts.ops are the same." }}
{{- end }}
{{- if and .Values.tls.clientCaSecret (not .Values.tls.existingSecret) }}
{{- $problems = append $problems "tls.clientCaSecret goes with tls.existingSecret." }}
{{- end }}
{{- with .Values.podDisruptionBudget }}
{{- $hasMin := ne (toString .minAvailable) "" }}
{{- $hasMax := ne (toString .maxUnavailable) "" }}
{{- if and .enabled (eq $hasMin $hasMax) }}
{{- $problems = append $problems "podDisruptionBudget has maxUnavailable or minAvailable: set one, and the other to \"\"." }}
{{- end }}
{{- end }}
{{- with .Values.autoscaling }}
{{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) }}
{{- $problems = append $problems "autoscaling.minReplicas is above autoscaling.maxReplicas." }}
{{- end }}
{{- end }}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) }}
{{- $problems = append $problems "httpRoute.parentRefs is missing: the Gateway that it belongs to." }}
{{- end }}
{{- if $problems }}
{{- fail (printf "these values are not valid:\n  %s" (join "\n  " $problems)) }}
{{- end }}
{{- end }}
