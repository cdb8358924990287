{{/* A rule of an egress policy from {ports, to}: TCP, and UDP where names are asked for. */}}
{{- define "lineage.egressRule" -}}
- ports:
    {{- range .rule.ports }}
    - port: {{ . }}
      protocol: TCP
    {{- if $.withUdp }}
    - port: {{ . }}
      protocol: UDP
    {{- end }}
    {{- end }}
  {{- with .rule.to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* Who may come in to a port, with pods of the release beside those of the list. */}}
{{- define "lineage.ingressRule" -}}
- ports:
    - port: {{ .port }}
      protocol: TCP
  {{- if .from }}
  from:
    {{- toYaml .from | nindent 4 }}
    {{- with .also }}
    - podSelector:
        matchLabels:
          {{- . | nindent 10 }}
    {{- end }}
  {{- end }}
{{- end }}
