{{/* Whether the migration sets the role's password: on the chart's own server, whose owner may make roles. CloudNativePG's
     operator makes the role itself, and on other servers somebody else has. */}}
{{- define "wasiki.setsPassword" -}}
{{- if and .Values.migration.enabled .Values.postgresql.enabled -}}
true
{{- end }}
{{- end }}

{{/* What brings the schema up to date, as its owner, and grants the wiki's role its rights: an item for `containers`. */}}
{{- define "wasiki.migrationContainer" -}}
- name: migration
  image: {{ include "wasiki.image" . }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command:
    {{- toYaml .Values.migration.command | nindent 4 }}
  securityContext:
    {{- include "wasiki.containerSecurity" . | nindent 4 }}
  env:
    {{- range $name, $value := include "wasiki.databaseSettings" (list . "owner") | fromYaml }}
    - name: {{ $name }}
      value: {{ $value | quote }}
    {{- end }}
    {{- with include "wasiki.role" . }}
    - name: RUNNER_GRANT_TO
      value: {{ . | quote }}
    {{- if include "wasiki.setsPassword" $ }}
    - name: RUNNER_GRANT_PASSWORD_FILE
      value: /run/secrets/database/role-password
    {{- end }}
    {{- end }}
    # A new database takes a moment to start, and the network a moment to let a new pod through.
    - name: RUNNER_MIGRATE_WAIT
      value: {{ min 240 (sub (int .Values.migration.deadlineSeconds) 60) }}s
  resources:
    requests: {cpu: 50m, memory: 64Mi}
    limits: {memory: 256Mi}
  volumeMounts:
    {{- include "wasiki.databaseMount" . | nindent 4 }}
{{- end }}
