{{- define "agent.impersonationMode" -}}
{{- if ne .Values.impersonation.mode "auto" -}}
{{- .Values.impersonation.mode -}}
{{- else if semverCompare ">=1.36.0-0" .Capabilities.KubeVersion.Version -}}
constrained
{{- else -}}
legacy
{{- end -}}
{{- end -}}

{{/* Extra keys that the auth proxy adds to each request by itself, for the audit log: src/auth-proxy/request-extras.ts. */}}
{{- define "agent.requestExtras" -}}
{{- $names := list "session" "issuer" "repository" "run-id" "workflow" "jti" -}}
{{- if .Values.impersonation.nested -}}
{{- $names = concat $names (list "original-user" "original-uid" "original-groups" "original-extra") -}}
{{- end -}}
{{- range $names }}
- userextras/cluster-connect.dev/{{ . }}
{{- end }}
{{- range .Values.impersonation.nestedExtraKeys }}
- userextras/{{ . }}
{{- end }}
{{- end -}}

{{/*
Whom the auth proxy may become: only kinds of attributes that its configuration, or a caller's --as, can produce. RBAC knows no wildcard
after the slash of userextras, so each key is named.
*/}}
{{- define "agent.impersonatedAttributes" -}}
{{- $constrained := eq (include "agent.impersonationMode" .) "constrained" -}}
{{- $verb := ternary "impersonate:user-info" "impersonate" $constrained -}}
{{- $named := ternary "authentication.k8s.io" "" $constrained -}}
{{- $keys := include "agent.requestExtras" . | fromYamlArray -}}
{{- $groups := .Values.impersonation.nested -}}
{{- $uids := .Values.impersonation.nested -}}
{{- range .Values.authentication.jwt -}}
{{- range .claimMappings.extra -}}
{{- $keys = append $keys (printf "userextras/%s" .key) -}}
{{- end -}}
{{- if .claimMappings.groups -}}{{- $groups = true -}}{{- end -}}
{{- if .claimMappings.uid -}}{{- $uids = true -}}{{- end -}}
{{- end -}}
- apiGroups: [{{ $named | quote }}]
  resources: [users]
  verbs: [{{ $verb | quote }}]
  {{- with .Values.impersonation.users }}
  resourceNames: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- if $groups }}
- apiGroups: [{{ $named | quote }}]
  resources: [groups]
  verbs: [{{ $verb | quote }}]
  {{- with .Values.impersonation.groups }}
  resourceNames: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
- apiGroups: [authentication.k8s.io]
  resources: {{- uniq (ternary (prepend $keys "uids") $keys $uids) | toYaml | nindent 4 }}
  verbs: [{{ $verb | quote }}]
{{- end -}}

{{/*
What it may do as somebody: everything, since what the caller may do is the caller's own RBAC. A verb has no wildcard
behind the colon.
*/}}
{{- define "agent.impersonatedVerbs" -}}
- apiGroups: ["*"]
  resources: ["*"]
  verbs:
    {{- range list "get" "list" "watch" "create" "update" "patch" "delete" "deletecollection" }}
    - impersonate-on:user-info:{{ . }}
    {{- end }}
- nonResourceURLs: ["*"]
  verbs:
    {{- range list "get" "head" "options" "post" "put" "patch" "delete" }}
    - impersonate-on:user-info:{{ . }}
    {{- end }}
{{- end -}}
