{{/* Names and labels, as the objects of a release share them. */}}

{{- define "lineage.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Short enough for what is added to it: names of Services have 63 characters. */}}
{{- define "lineage.fullname" -}}
{{- $name := include "lineage.name" . }}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- default $full .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- end }}

{{/* What finds the pods that serve, and no others; it can never change in a release. */}}
{{- define "lineage.selectorLabels" -}}
{{ include "lineage.instanceLabels" . }}
app.kubernetes.io/component: server
{{- end }}

{{- define "lineage.instanceLabels" -}}
app.kubernetes.io/name: {{ include "lineage.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Of every object: (dict "root" $ "component" NAME). */}}
{{- define "lineage.labels" -}}
{{ include "lineage.instanceLabels" .root }}
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "lineage.serviceAccountName" -}}
{{- default (ternary (include "lineage.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name }}
{{- end }}

{{- define "lineage.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ default $.Chart.AppVersion .tag }}
{{- end }}
{{- end }}
{{- end }}

{{/* Where callers are told to go. */}}
{{- define "lineage.issuerHost" -}}
{{- (urlParse .Values.issuer).hostname }}
{{- end }}

{{/* Of the stop that a signal begins: 15 s, and some to spare. */}}
{{- define "lineage.terminationGracePeriodSeconds" -}}
{{- add .Values.shutdownDelaySeconds 25 }}
{{- end }}
