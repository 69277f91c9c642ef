{{/* The three kinds of database, as one. */}}

{{/* own, cnpg or external; ends with a message when the values say more than one, or too little. */}}
{{- define "wasiki.databaseKind" -}}
{{- $values := .Values -}}
{{- if and $values.postgresql.enabled $values.cnpg.enabled -}}
{{- fail "postgresql.enabled and cnpg.enabled are both true: set postgresql.enabled=false" -}}
{{- else if and $values.externalDatabase.host (or $values.postgresql.enabled $values.cnpg.enabled) -}}
{{- fail "externalDatabase.host is set: set postgresql.enabled=false and cnpg.enabled=false too" -}}
{{- else if $values.postgresql.enabled -}}
own
{{- else if $values.cnpg.enabled -}}
cnpg
{{- else if not $values.externalDatabase.host -}}
{{- fail "there is no database: set externalDatabase.host, cnpg.enabled=true or postgresql.enabled=true" -}}
{{- else if not (or $values.externalDatabase.password $values.externalDatabase.existingSecret) -}}
{{- fail "externalDatabase has no password: set externalDatabase.existingSecret or externalDatabase.password" -}}
{{- else -}}
external
{{- end }}
{{- end }}

{{/* The role that the wiki connects as; nothing when it connects as the owner. The chart's own roles are the migration's to
     make and to grant. */}}
{{- define "wasiki.role" -}}
{{- $kind := include "wasiki.databaseKind" . -}}
{{- $owner := dict "own" .Values.postgresql.auth.username "cnpg" .Values.cnpg.owner "external" .Values.externalDatabase.username -}}
{{- $role := dict "own" .Values.postgresql.auth.wiki "cnpg" .Values.cnpg.wiki "external" .Values.externalDatabase.wiki -}}
{{- $owner = get $owner $kind -}}
{{- $role = get $role $kind -}}
{{- if eq $kind "external" -}}
{{- if and $role.username (ne $role.username $owner) -}}
{{- if not (or $role.password $role.existingSecret) -}}
{{- fail "externalDatabase.wiki has no password: set externalDatabase.wiki.existingSecret or externalDatabase.wiki.password" -}}
{{- end -}}
{{ $role.username }}
{{- end -}}
{{- else if .Values.migration.enabled -}}
{{- if eq $role.username $owner -}}
{{- fail (printf "the wiki would own its tables: %s is both the owner of the database and the role of the wiki" $owner) -}}
{{- end -}}
{{ $role.username }}
{{- end }}
{{- end }}

{{/* The Secret with the role's password that the chart makes. */}}
{{- define "wasiki.roleSecret" -}}
{{ include "wasiki.fullname" . }}-role
{{- end }}

{{- define "wasiki.clusterName" -}}
{{ include "wasiki.fullname" . }}-cluster
{{- end }}

{{- define "wasiki.poolerName" -}}
{{ include "wasiki.clusterName" . }}-pooler
{{- end }}

{{/* The wiki's password, where the values give it. */}}
{{- define "wasiki.givenPassword" -}}
{{- if eq (include "wasiki.databaseKind" .) "external" -}}
{{- with ternary .Values.externalDatabase.wiki .Values.externalDatabase (ne (include "wasiki.role" .) "") -}}
{{- if not .existingSecret }}{{ .password }}{{ end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Where to connect: host, port, name, sslmode; the owner of the tables with Secret and key of the password, and the wiki with
     its own; ConfigMap or Secret and key of the certificate authority. `direct` is the host without a pooler between, for
     pg_dump; `replica` has host and port of the standbys, if the wiki reads from them. */}}
{{- define "wasiki.database" -}}
{{- $kind := include "wasiki.databaseKind" . -}}
{{- $full := include "wasiki.fullname" . -}}
{{- $role := include "wasiki.role" . -}}
{{- if eq $kind "own" }}
{{- with .Values.postgresql }}
host: {{ .serviceName }}
direct: {{ .serviceName }}
port: 5432
name: {{ .auth.database }}
# Inside the cluster, and behind a NetworkPolicy; the server has no certificate.
sslmode: disable
{{- $owner := dict "user" .auth.username "secret" (default (printf "%s-postgresql" $full) .auth.existingSecret) "key" .auth.passwordKey }}
{{- $wiki := dict "user" $role "secret" (default (include "wasiki.roleSecret" $) .auth.wiki.existingSecret) "key" .auth.wiki.passwordKey }}
owner: {{ toJson $owner }}
wiki: {{ ternary $wiki $owner (ne $role "") | toJson }}
{{- end }}
{{- else if eq $kind "cnpg" }}
{{- $cluster := include "wasiki.clusterName" . }}
host: {{ if .Values.cnpg.pooler.enabled }}{{ include "wasiki.poolerName" . }}{{ else }}{{ $cluster }}-rw{{ end }}
direct: {{ $cluster }}-rw
port: 5432
{{- if .Values.cnpg.readFromStandbys }}
{{- if lt (int .Values.cnpg.instances) 2 }}
{{- fail "cnpg.readFromStandbys is true, but cnpg.instances is 1: there are no standbys" }}
{{- end }}
replica: {host: {{ $cluster }}-ro, port: 5432}
{{- end }}
name: {{ .Values.cnpg.database }}
sslmode: verify-full
# The operator makes the owner's password, and the authority.
{{- $owner := dict "user" .Values.cnpg.owner "secret" (printf "%s-app" $cluster) "key" "password" }}
{{- $wiki := dict "user" $role "secret" (default (include "wasiki.roleSecret" .) .Values.cnpg.wiki.existingSecret) "key" "password" }}
owner: {{ toJson $owner }}
wiki: {{ ternary $wiki $owner (ne $role "") | toJson }}
caSecret: {{ $cluster }}-ca
caKey: ca.crt
{{- else }}
{{- with .Values.externalDatabase }}
host: {{ .host | quote }}
direct: {{ .host | quote }}
port: {{ .port }}
{{- if .replica.host }}
replica: {host: {{ .replica.host | quote }}, port: {{ .replica.port }}}
{{- end }}
name: {{ .database }}
sslmode: {{ .sslmode }}
{{- $owner := dict "user" .username "secret" (default (printf "%s-database" $full) .existingSecret) "key" .passwordKey }}
{{- $wiki := dict "user" $role "secret" (default (include "wasiki.roleSecret" $) .wiki.existingSecret) "key" .wiki.passwordKey }}
owner: {{ toJson $owner }}
wiki: {{ ternary $wiki $owner (ne $role "") | toJson }}
{{- with .ca }}
caConfigMap: {{ .configMap | quote }}
caKey: {{ .key }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* The runner's settings of the database, as a map: (list $ "wiki") or, past the pooler, (list $ "owner"). */}}
{{- define "wasiki.databaseSettings" -}}
{{- $who := last . -}}
{{- with include "wasiki.database" (first .) | fromYaml -}}
DB_HOST: {{ ternary .host .direct (eq $who "wiki") | quote }}
DB_PORT: {{ .port | quote }}
DB_NAME: {{ .name | quote }}
DB_USER: {{ (get . $who).user | quote }}
DB_PASSWORD_FILE: /run/secrets/database/password
SPIN_VARIABLE_DB_OPTIONS: sslmode={{ .sslmode }}
{{- if and .replica (eq $who "wiki") }}
SPIN_VARIABLE_DB_READ_HOST: {{ .replica.host | quote }}
SPIN_VARIABLE_DB_READ_PORT: {{ .replica.port | quote }}
{{- end }}
{{- if or .caSecret .caConfigMap }}
RUNNER_PG_CA_FILE: /run/secrets/database/ca.crt
{{- end }}
{{- end }}
{{- end }}

{{/* libpq's settings of the database, as its owner, as a list for `env`. */}}
{{- define "wasiki.libpqEnv" -}}
{{- with include "wasiki.database" . | fromYaml -}}
- name: PGHOST
  value: {{ .direct | quote }}
- name: PGPORT
  value: {{ .port | quote }}
- name: PGDATABASE
  value: {{ .name | quote }}
- name: PGUSER
  value: {{ .owner.user | quote }}
- name: PGSSLMODE
  value: {{ .sslmode }}
{{- if or .caSecret .caConfigMap }}
- name: PGSSLROOTCERT
  value: /run/secrets/database/ca.crt
{{- else if eq .sslmode "verify-full" }}
# The authorities that come with the image; libpq wants verify-full for them.
- name: PGSSLROOTCERT
  value: system
{{- end }}
- name: PGPASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ .owner.secret }}
      key: {{ .owner.key }}
{{- end }}
{{- end }}

{{/* The volume with the password and the certificate authority, an item for `volumes`: (list $ "wiki"), (list $ "owner"), or
     (list $ "owner" "role") with the role's password too, where the migration sets it. */}}
{{- define "wasiki.databaseVolume" -}}
{{- $who := index . 1 -}}
{{- $sets := and (has "role" .) (include "wasiki.setsPassword" (first .)) -}}
{{- with include "wasiki.database" (first .) | fromYaml -}}
- name: database
  projected:
    # 0440, for the pod's group, which is fsGroup. In decimal, for YAML 1.2 has no such octal numbers.
    defaultMode: 288
    sources:
      - secret:
          name: {{ (get . $who).secret }}
          items: [{key: {{ (get . $who).key }}, path: password}]
      {{- if $sets }}
      - secret:
          name: {{ .wiki.secret }}
          items: [{key: {{ .wiki.key }}, path: role-password}]
      {{- end }}
      {{- if .caSecret }}
      - secret:
          name: {{ .caSecret }}
          items: [{key: {{ .caKey }}, path: ca.crt}]
      {{- else if .caConfigMap }}
      - configMap:
          name: {{ .caConfigMap }}
          items: [{key: {{ .caKey }}, path: ca.crt}]
      {{- end }}
{{- end }}
{{- end }}

{{- define "wasiki.databaseMount" -}}
- name: database
  mountPath: /run/secrets/database
  readOnly: true
{{- end }}

{{/* NetworkPolicy rules by which a pod reaches names and the database: a list for `egress`. */}}
{{- define "wasiki.databaseEgress" -}}
{{- $kind := include "wasiki.databaseKind" . -}}
# Names. Where the cluster's DNS runs differs, so the port says it.
- ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
- to:
    {{- if eq $kind "own" }}
    - podSelector:
        matchLabels:
          {{- include "wasiki.selectorLabels" (list . "postgresql") | nindent 10 }}
    {{- else if eq $kind "cnpg" }}
    - podSelector:
        matchLabels:
          cnpg.io/cluster: {{ include "wasiki.clusterName" . }}
    {{- if .Values.cnpg.pooler.enabled }}
    - podSelector:
        matchLabels:
          cnpg.io/poolerName: {{ include "wasiki.poolerName" . }}
    {{- end }}
    {{- else }}
    {{- range .Values.networkPolicy.databaseCidrs }}
    - ipBlock:
        cidr: {{ . | quote }}
    {{- end }}
    {{- end }}
  ports:
    {{- $database := include "wasiki.database" . | fromYaml }}
    - {port: {{ $database.port }}, protocol: TCP}
    {{- with $database.replica }}
    {{- if ne (int .port) (int $database.port) }}
    - {port: {{ .port }}, protocol: TCP}
    {{- end }}
    {{- end }}
{{- end }}

{{/* The pods that may reach the database: a list for `from`. */}}
{{- define "wasiki.databaseClients" -}}
{{- $clients := prepend (include "wasiki.databaseJobs" . | fromJsonArray) "wiki" -}}
{{- range include "wasiki.services" . | fromJsonArray }}{{ $clients = append $clients .name }}{{ end -}}
{{- range $clients }}
- podSelector:
    matchLabels:
      {{- include "wasiki.selectorLabels" (list $ .) | nindent 6 }}
{{- end }}
{{- if include "wasiki.debezium" . }}
- podSelector:
    matchLabels:
      strimzi.io/cluster: {{ include "wasiki.connectName" . }}
      strimzi.io/kind: KafkaConnect
{{- end }}
{{- with .Values.networkPolicy.databaseFrom }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The components of the Jobs that need the database, as JSON. */}}
{{- define "wasiki.databaseJobs" -}}
{{- $jobs := list -}}
{{- if .Values.backup.enabled }}{{ $jobs = append $jobs "backup" }}{{ end -}}
{{- if .Values.migration.enabled }}{{ $jobs = append $jobs "migration" }}{{ end -}}
{{ toJson $jobs }}
{{- end }}
