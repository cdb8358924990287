{{/* What the pods of the service and those of the migrations job have in common. */}}
{{- define "lineage.podSettings" -}}
# A Service called "lineage" would put LINEAGE_… variables of Kubernetes' own into every pod.
enableServiceLinks: false
automountServiceAccountToken: false
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Files of their own names, whatever the keys are called: a renewed certificate changes in place. */}}
{{- define "lineage.tlsVolume" -}}
{{- with .Values.tls -}}
- name: tls
  projected:
    defaultMode: 288
    sources:
      - secret:
          name: {{ .existingSecret }}
          items:
            - key: {{ .certKey }}
              path: tls.crt
            - key: {{ .keyKey }}
              path: tls.key
      {{- if .clientCaSecret }}
      - secret:
          name: {{ .clientCaSecret }}
          items:
            - key: {{ .clientCaKey }}
              path: client-ca.crt
      {{- end }}
{{- end }}
{{- end }}
