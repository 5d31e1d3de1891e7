{{- define "agent.volumes" -}}
- name: agent-configuration
  configMap:
    name: {{ include "agent.name" . }}-agent
- name: auth-proxy-configuration
  configMap:
    name: {{ include "agent.name" . }}-auth-proxy
- name: socket
  emptyDir: { medium: Memory, sizeLimit: 1Mi }
{{- if .Values.relay.key.name }}
- name: relay-credential
  secret:
    secretName: {{ required "relay.key.secret" .Values.relay.key.secret }}
    defaultMode: 0440
    items: [{ key: {{ .Values.relay.key.entry }}, path: key }]
{{- else }}
# For the relay alone: the apiserver refuses a token that was made for somebody else.
- name: relay-credential
  projected:
    defaultMode: 0440
    sources:
      - serviceAccountToken:
          audience: {{ .Values.relay.audience | default (trimSuffix "/" .Values.relay.url) | quote }}
          expirationSeconds: 3600
          path: token
{{- end }}
# What a pod usually has in every container, here in one.
- name: apiserver-credential
  projected:
    defaultMode: 0440
    sources:
      - serviceAccountToken: { expirationSeconds: 3600, path: token }
      - configMap:
          name: kube-root-ca.crt
          items: [{ key: ca.crt, path: ca.crt }]
      - downwardAPI:
          items: [{ path: namespace, fieldRef: { fieldPath: metadata.namespace } }]
{{- end -}}
