{{/* What both containers are allowed, which is nothing, and how the kubelet asks them. */}}
{{- define "agent.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "agent.probes" -}}
ports:
  - name: {{ .portName }}
    containerPort: {{ .port }}
readinessProbe:
  httpGet: { path: /readyz, port: {{ .portName }} }
  periodSeconds: 5
  timeoutSeconds: 3
livenessProbe:
  httpGet: { path: /healthz, port: {{ .portName }} }
  initialDelaySeconds: 10
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
{{- end -}}

{{- define "agent.agentContainer" -}}
name: agent
image: {{ include "agent.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
command: [node, /app/cli/index.js, agent]
args: [--config, /etc/cluster-connect/agent.yaml, --log-format, json, --log-level, {{ .Values.agent.logLevel }}]
{{- with .Values.agent.env }}
env: {{- toYaml . | nindent 2 }}
{{- end }}
{{ include "agent.probes" (dict "portName" "agent-health" "port" .Values.health.agentPort) }}
resources: {{- toYaml .Values.agent.resources | nindent 2 }}
securityContext:
  {{- with .Values.runAs.agent }}
  runAsUser: {{ int . }}
  runAsGroup: {{ int . }}
  {{- end }}
  {{- include "agent.containerSecurity" . | nindent 2 }}
volumeMounts:
  - { name: agent-configuration, mountPath: /etc/cluster-connect, readOnly: true }
  - { name: relay-credential, mountPath: /var/run/secrets/cluster-connect, readOnly: true }
  # Connecting to a socket needs no writable folder; so the agent cannot put another socket, or another CA, there.
  - { name: socket, mountPath: /run/cluster-connect, readOnly: true }
{{- end -}}

{{- define "agent.authProxyContainer" -}}
name: auth-proxy
image: {{ include "agent.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
command: [node, /app/cli/index.js, auth-proxy]
args: [--config, /etc/cluster-connect/auth-proxy.yaml, --log-format, json, --log-level, {{ .Values.authProxy.logLevel }}]
{{- with .Values.authProxy.env }}
env: {{- toYaml . | nindent 2 }}
{{- end }}
{{ include "agent.probes" (dict "portName" "proxy-health" "port" .Values.health.authProxyPort) }}
resources: {{- toYaml .Values.authProxy.resources | nindent 2 }}
securityContext:
  {{- with .Values.runAs.authProxy }}
  runAsUser: {{ int . }}
  runAsGroup: {{ int . }}
  {{- end }}
  {{- include "agent.containerSecurity" . | nindent 2 }}
volumeMounts:
  - { name: auth-proxy-configuration, mountPath: /etc/cluster-connect, readOnly: true }
  - { name: apiserver-credential, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true }
  - { name: socket, mountPath: /run/cluster-connect }
{{- end -}}
