{{/* Names. */}}

{{- define "wasiki.name" -}}
{{ default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "wasiki.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains (include "wasiki.name" .) .Release.Name -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name (include "wasiki.name" .) | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "wasiki.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{ default (include "wasiki.fullname" .) .Values.serviceAccount.name }}
{{- else -}}
{{ default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* Labels: (list $ "component"). */}}

{{- define "wasiki.selectorLabels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "wasiki.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "wasiki.labels" -}}
{{- $root := index . 0 -}}
{{ include "wasiki.selectorLabels" . }}
app.kubernetes.io/part-of: wasiki
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* Images. */}}

{{- define "wasiki.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ default $.Chart.AppVersion .tag }}{{ end }}
{{- end }}
{{- end }}

{{- define "wasiki.postgresqlImage" -}}
{{- with .Values.postgresql.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag }}{{ end }}
{{- end }}
{{- end }}

{{- define "wasiki.backupImage" -}}
{{- $image := .Values.backup.image -}}
{{- if or $image.repository $image.tag -}}
{{ default .Values.postgresql.image.repository $image.repository }}:{{ default .Values.postgresql.image.tag $image.tag }}
{{- else -}}
{{ include "wasiki.postgresqlImage" . }}
{{- end }}
{{- end }}

{{/* What the Pod Security Standard "restricted" demands of a pod and of a container: (user's number). */}}

{{- define "wasiki.podSecurity" -}}
runAsNonRoot: true
{{- /* A number of a values file is a float, which Go writes as 1e+06 from a million on. */}}
runAsUser: {{ int64 . }}
runAsGroup: {{ int64 . }}
fsGroup: {{ int64 . }}
# A volume of many files is not gone through at every start.
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "wasiki.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* What every pod has in common: (list $), or (list $ "account") for another account. */}}

{{- define "wasiki.podCommon" -}}
{{- $root := first . -}}
serviceAccountName: {{ default (include "wasiki.serviceAccountName" $root) (rest . | first) }}
# Nothing here talks to the API server.
automountServiceAccountToken: false
# Else every Service of the namespace becomes environment variables, some of which are settings of the runner.
enableServiceLinks: false
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The user of the wiki's image. */}}
{{- define "wasiki.user" -}}
65532
{{- end }}

{{/* The runner's settings that are the same wherever the image runs, as a map. */}}
{{- define "wasiki.runnerSettings" -}}
RUNNER_ADMIN: "0.0.0.0:9090"
RUNNER_LOG: {{ .Values.wiki.log | quote }}
RUNNER_LOG_FORMAT: json
RUNNER_DRAIN_DELAY: {{ .Values.wiki.shutdown.drainDelaySeconds }}s
RUNNER_GRACE_PERIOD: {{ .Values.wiki.shutdown.gracePeriodSeconds }}s
{{- end }}

{{/* The variables and settings that the values give as they are, as a map; nothing where there are none. */}}
{{- define "wasiki.furtherSettings" -}}
{{- $settings := dict -}}
{{- range $name, $value := .Values.wiki.variables }}{{ $_ := set $settings (printf "SPIN_VARIABLE_%s" (upper $name)) $value }}{{ end -}}
{{- range $name, $value := .Values.wiki.settings }}{{ $_ := set $settings $name $value }}{{ end -}}
{{- $lines := list -}}
{{- range $name, $value := $settings }}{{ $lines = append $lines (printf "%s: %s" $name (quote $value)) }}{{ end -}}
{{ join "\n" $lines }}
{{- end }}
