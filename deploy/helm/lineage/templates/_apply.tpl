{{/*
The documents of `lineage apply`, as files of a ConfigMap. Text stays as it is; all else is written as JSON,
which YAML 1.2 reads in one way, as it does not everything that Helm would write as YAML 1.1. The indentation
is said, because text may begin with a line that is further in than the others.
*/}}
{{- define "lineage.applyData" -}}
{{- range $name, $document := .Values.apply.documents }}
{{ $name }}.yaml: |2
  {{- ternary $document (toPrettyJson $document) (kindIs "string" $document) | nindent 2 }}
{{- end }}
{{- end }}

{{/* Where they are, and those that extraVolumes brings, by comma. */}}
{{- define "lineage.applyFiles" -}}
{{- $files := list }}
{{- range $name, $document := .Values.apply.documents }}
{{- $files = append $files (printf "/etc/lineage/apply/%s.yaml" $name) }}
{{- end }}
{{- join "," (concat $files .Values.apply.files) }}
{{- end }}
