{{/*
The settings of the service, NAME: value. In `settings` a number is written out whole, where Helm
would make 1.2096e+06 of it, and what YAML 1.1 made of on and off becomes these words again.
*/}}
{{- define "lineage.settings" -}}
LINEAGE_ISSUER: {{ .Values.issuer | quote }}
PORT: {{ .Values.containerPorts.http | int | quote }}
LINEAGE_OPS_PORT: {{ .Values.containerPorts.ops | int | quote }}
LINEAGE_SHUTDOWN_DELAY_SECONDS: {{ .Values.shutdownDelaySeconds | int | quote }}
LINEAGE_MIGRATE: {{ ternary "check" "auto" (eq .Values.migrations.mode "job") | quote }}
{{- with .Values.trustedProxies }}
LINEAGE_TRUST_PROXY: {{ join "," . | quote }}
{{- end }}
{{- if .Values.tls.existingSecret }}
LINEAGE_TLS_CERT_FILE: /run/lineage-tls/tls.crt
LINEAGE_TLS_KEY_FILE: /run/lineage-tls/tls.key
{{- if .Values.tls.clientCaSecret }}
LINEAGE_TLS_CLIENT_CA_FILE: /run/lineage-tls/client-ca.crt
{{- end }}
{{- end }}
{{- with include "lineage.applyFiles" . }}
LINEAGE_APPLY_FILE: {{ . | quote }}
{{- end }}
{{- range $name, $value := .Values.settings }}
{{- if kindIs "bool" $value }}
{{ $name }}: {{ hasPrefix "OTEL_" $name | ternary (toString $value) (ternary "on" "off" $value) | quote }}
{{- else if kindIs "string" $value }}
{{ $name }}: {{ $value | quote }}
{{- else }}
{{ $name }}: {{ eq (float64 (int64 $value)) (float64 $value) | ternary (toString (int64 $value)) (toString $value) | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* Every secret of the service: its value, the variable that names its file, the file. */}}
{{- define "lineage.secretTable" -}}
- {value: databaseUrl, variable: DATABASE_URL_FILE, file: database-url, needed: true, forMigrations: true}
- {value: secretKey, variable: LINEAGE_SECRET_KEY_FILE, file: secret-key, needed: true, forMigrations: true}
- {value: redisUrl, variable: REDIS_URL_FILE, file: redis-url}
- {value: passwordPepper, variable: LINEAGE_PASSWORD_PEPPER_FILE, file: password-pepper}
- {value: adminClientSecret, variable: LINEAGE_ADMIN_CLIENT_SECRET_FILE, file: admin-client-secret}
- {value: smtpUrl, variable: LINEAGE_SMTP_URL_FILE, file: smtp-url}
- {value: otlpHeaders, variable: OTEL_EXPORTER_OTLP_HEADERS_FILE, file: otlp-headers}
{{- end }}

{{/*
The secrets that are given, as a list: (dict "root" $ "own" NAME), or with "forMigrations" those that
`lineage migrate` reads. What is a value is in the Secret NAME, under the name of its file.
*/}}
{{- define "lineage.usedSecrets" -}}
{{- $used := list }}
{{- range include "lineage.secretTable" .root | fromYamlArray }}
{{- $given := index $.root.Values.secrets .value }}
{{- if or (not $.forMigrations) .forMigrations }}
{{- if $given.existingSecret }}
{{- $used = append $used (dict "variable" .variable "file" .file "secret" $given.existingSecret "key" $given.key) }}
{{- else if $given.value }}
{{- $used = append $used (dict "variable" .variable "file" .file "secret" $.own "key" .file "value" $given.value) }}
{{- end }}
{{- end }}
{{- end }}
{{- toYaml $used }}
{{- end }}

{{/* The data of the Secret for what `usedSecrets` found to be values; empty when there are none. */}}
{{- define "lineage.ownSecretData" -}}
{{- range include "lineage.usedSecrets" . | fromYamlArray }}
{{- if .value }}
{{ .key }}: {{ .value | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* The variables that name the files of secrets. */}}
{{- define "lineage.secretEnv" -}}
{{- range include "lineage.usedSecrets" . | fromYamlArray }}
- name: {{ .variable }}
  value: /run/lineage/{{ .file }}
{{- end }}
{{- end }}

{{/* The volume of those files. Its mode is 0440, in decimal: YAML 1.1 and 1.2 read octal otherwise. */}}
{{- define "lineage.secretVolume" -}}
- name: secrets
  projected:
    defaultMode: 288
    sources:
      {{- range include "lineage.usedSecrets" . | fromYamlArray }}
      - secret:
          name: {{ .secret }}
          items:
            - key: {{ .key }}
              path: {{ .file }}
      {{- end }}
{{- end }}
