{{/* What the migration's hooks have in common. They rely on nothing of the release: before an upgrade, that is the old one's. */}}

{{- define "wasiki.migrationName" -}}
{{ include "wasiki.fullname" . }}-migration
{{- end }}

{{/* When it runs: after an installation and before an upgrade; after the upgrade, if that is what brings the database. */}}
{{- define "wasiki.migrationHook" -}}
{{- $kind := include "wasiki.databaseKind" . -}}
{{- $found := true -}}
{{- if and .Release.IsUpgrade (eq $kind "own") -}}
{{- $found = lookup "apps/v1" "StatefulSet" .Release.Namespace (printf "%s-postgresql" (include "wasiki.fullname" .)) -}}
{{- else if and .Release.IsUpgrade (eq $kind "cnpg") -}}
{{- $found = lookup "postgresql.cnpg.io/v1" "Cluster" .Release.Namespace (include "wasiki.clusterName" .) -}}
{{- end -}}
post-install,{{ ternary "pre-upgrade" "post-upgrade" (not (empty $found)) }}
{{- end }}

{{/* The annotations of what the Job needs. It is there before the Job, and goes when the Job has ended. */}}
{{- define "wasiki.migrationNeeds" -}}
helm.sh/hook: {{ include "wasiki.migrationHook" . }}
helm.sh/hook-weight: "-10"
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}

{{/* The hook's own Secret, for a password that the chart knows; else nothing. */}}
{{- define "wasiki.migrationSecret" -}}
{{- $own := and .Values.postgresql.enabled (not .Values.postgresql.auth.existingSecret) -}}
{{- $external := and (eq (include "wasiki.databaseKind" .) "external") (not .Values.externalDatabase.existingSecret) -}}
{{- if or $own $external -}}
{{ include "wasiki.migrationName" . }}
{{- end }}
{{- end }}
