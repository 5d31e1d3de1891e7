{{/*
The two processes' configuration. Each stops within the pod's grace period: the auth proxy first, so that what is cut
off there is told so through the agent, which goes last.
*/}}
{{- define "agent.agentConfiguration" -}}
{{- $relay := dict "url" (trimSuffix "/" .Values.relay.url) "cluster" .Values.cluster -}}
{{- if .Values.relay.ca -}}
{{- $_ := set $relay "caFile" "/etc/cluster-connect/relay-ca.pem" -}}
{{- end -}}
{{- if .Values.relay.key.name -}}
{{- $_ := set $relay "credential" (dict "keyName" .Values.relay.key.name "keyFile" "/var/run/secrets/cluster-connect/key") -}}
{{- else -}}
{{- $_ := set $relay "credential" (dict "tokenFile" "/var/run/secrets/cluster-connect/token") -}}
{{- end -}}
{{- with .Values.relay.rendezvousHosts -}}
{{- $_ := set $relay "rendezvousHosts" . -}}
{{- end -}}
{{- $drain := dict "drainMs" (mul 1000 (sub (int .Values.terminationGracePeriodSeconds) 10)) -}}
{{- dict
  "relay" $relay
  "target" (dict "socket" "/run/cluster-connect/api.sock")
  "limits" (merge (dict) .Values.agent.limits $drain)
  "health" (dict "host" .Values.health.host "port" .Values.health.agentPort)
| toYaml -}}
{{- end -}}

{{- define "agent.authProxyConfiguration" -}}
{{- $drain := dict "drainMs" (mul 1000 (sub (int .Values.terminationGracePeriodSeconds) 45)) -}}
{{- $configuration := dict
  "cluster" .Values.cluster
  "listen" (dict "socket" "/run/cluster-connect/api.sock")
  "tls" (dict "secret" .Values.tls.secret)
  "authentication" (dict "apiVersion" "apiserver.config.k8s.io/v1" "kind" "AuthenticationConfiguration" "jwt" .Values.authentication.jwt)
  "upgrades" .Values.upgrades
  "streams" (dict "end" .Values.streams.end "maxAgeMs" (int64 .Values.streams.maxAgeMs))
  "impersonation" (dict "allowSystemNames" .Values.impersonation.allowSystemNames "maxGroups" .Values.impersonation.maxGroups)
  "limits" (merge (dict) .Values.authProxy.limits $drain)
  "health" (dict "host" .Values.health.host "port" .Values.health.authProxyPort)
-}}
{{- if .Values.impersonation.nested -}}
{{- $constrained := eq (include "agent.impersonationMode" .) "constrained" -}}
{{- $_ := set $configuration "impersonation" (merge (dict "nested" true "constrained" $constrained) $configuration.impersonation) -}}
{{- end -}}
{{- with .Values.passThrough -}}
{{- if .issuer -}}
{{- $passThrough := dict "issuer" .issuer -}}
{{- with .audiences -}}
{{- $_ := set $passThrough "audiences" . -}}
{{- end -}}
{{- $_ := set $configuration "passThrough" $passThrough -}}
{{- end -}}
{{- end -}}
{{- with .Values.authProxy.tokenLimits -}}
{{- $_ := set $configuration "tokenLimits" . -}}
{{- end -}}
{{- with .Values.authProxy.forwardHeaders -}}
{{- $_ := set $configuration "forwardHeaders" . -}}
{{- end -}}
{{- toYaml $configuration -}}
{{- end -}}
