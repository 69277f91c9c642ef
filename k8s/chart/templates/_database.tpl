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

{{- define "wasiki.clusterName" -}}
{{ include "wasiki.fullname" . }}-cluster
{{- end }}

{{- define "wasiki.poolerName" -}}
{{ include "wasiki.clusterName" . }}-pooler
{{- end }}

{{/* Where to connect: host, port, name, user, sslmode; Secret and key of the password; ConfigMap or Secret and key of the
     certificate authority. `direct` is the host without a pooler between, for pg_dump. */}}
{{- define "wasiki.database" -}}
{{- $kind := include "wasiki.databaseKind" . -}}
{{- $full := include "wasiki.fullname" . -}}
{{- if eq $kind "own" }}
{{- with .Values.postgresql }}
host: {{ .serviceName }}
direct: {{ .serviceName }}
port: 5432
name: {{ .auth.database }}
user: {{ .auth.username }}
# Inside the cluster, and behind a NetworkPolicy; the server has no certificate.
sslmode: disable
passwordSecret: {{ default (printf "%s-postgresql" $full) .auth.existingSecret }}
passwordKey: {{ .auth.passwordKey }}
{{- end }}
{{- else if eq $kind "cnpg" }}
{{- $cluster := include "wasiki.clusterName" . }}
host: {{ if .Values.cnpg.pooler.enabled }}{{ include "wasiki.poolerName" . }}{{ else }}{{ $cluster }}-rw{{ end }}
direct: {{ $cluster }}-rw
port: 5432
name: {{ .Values.cnpg.database }}
user: {{ .Values.cnpg.owner }}
sslmode: verify-full
# The operator makes both.
passwordSecret: {{ $cluster }}-app
passwordKey: password
caSecret: {{ $cluster }}-ca
caKey: ca.crt
{{- else }}
{{- with .Values.externalDatabase }}
host: {{ .host | quote }}
direct: {{ .host | quote }}
port: {{ .port }}
name: {{ .database }}
user: {{ .username }}
sslmode: {{ .sslmode }}
passwordSecret: {{ default (printf "%s-database" $full) .existingSecret }}
passwordKey: {{ .passwordKey }}
{{- with .ca }}
caConfigMap: {{ .configMap | quote }}
caKey: {{ .key }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* The password of the chart's own database, in base64: what the Secret has, or else a new one. Every template of a release
     gets the same. */}}
{{- define "wasiki.ownPassword" -}}
{{- if not .Values.ownPassword -}}
{{- $secret := lookup "v1" "Secret" .Release.Namespace (include "wasiki.database" . | fromYaml).passwordSecret -}}
{{- $_ := set .Values "ownPassword" (dig "data" .Values.postgresql.auth.passwordKey (randAlphaNum 32 | b64enc) (default dict $secret)) -}}
{{- end -}}
{{ .Values.ownPassword }}
{{- end }}

{{/* The runner's settings of the database, as a map. */}}
{{- define "wasiki.databaseSettings" -}}
{{- with include "wasiki.database" . | fromYaml -}}
DB_HOST: {{ .host | quote }}
DB_PORT: {{ .port | quote }}
DB_NAME: {{ .name | quote }}
DB_USER: {{ .user | quote }}
DB_PASSWORD_FILE: /run/secrets/database/password
SPIN_VARIABLE_DB_OPTIONS: sslmode={{ .sslmode }}
{{- if or .caSecret .caConfigMap }}
RUNNER_PG_CA_FILE: /run/secrets/database/ca.crt
{{- end }}
{{- end }}
{{- end }}

{{/* libpq's settings of the database, as a list for `env`. */}}
{{- define "wasiki.libpqEnv" -}}
{{- with include "wasiki.database" . | fromYaml -}}
- name: PGHOST
  value: {{ .direct | quote }}
- name: PGPORT
  value: {{ .port | quote }}
- name: PGDATABASE
  value: {{ .name | quote }}
- name: PGUSER
  value: {{ .user | quote }}
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
      name: {{ .passwordSecret }}
      key: {{ .passwordKey }}
{{- end }}
{{- end }}

{{/* The volume with the password and the certificate authority, an item for `volumes`: (list $), or (list $ "secret") for
     another Secret with the password. */}}
{{- define "wasiki.databaseVolume" -}}
{{- $secret := rest . | first -}}
{{- with include "wasiki.database" (first .) | fromYaml -}}
- name: database
  projected:
    # 0440, for the pod's group, which is fsGroup. In decimal, for YAML 1.2 has no such octal numbers.
    defaultMode: 288
    sources:
      - secret:
          name: {{ default .passwordSecret $secret }}
          items: [{key: {{ .passwordKey }}, path: password}]
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
    - {port: {{ (include "wasiki.database" . | fromYaml).port }}, protocol: TCP}
{{- end }}

{{/* The pods that may reach the database: a list for `from`. Migrations bring a policy of their own. */}}
{{- define "wasiki.databaseClients" -}}
{{- range ternary (list "wiki" "backup") (list "wiki") .Values.backup.enabled }}
- podSelector:
    matchLabels:
      {{- include "wasiki.selectorLabels" (list $ .) | nindent 6 }}
{{- end }}
{{- with .Values.networkPolicy.databaseFrom }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The spec of the NetworkPolicy for the chart's own database: (list $ "further clients, a list for `from`"). */}}
{{- define "wasiki.postgresqlPolicy" -}}
{{- $root := first . -}}
podSelector:
  matchLabels:
    {{- include "wasiki.selectorLabels" (list $root "postgresql") | nindent 4 }}
policyTypes: [Ingress, Egress]
ingress:
  - ports:
      - {port: postgresql, protocol: TCP}
    from:
      {{- include "wasiki.databaseClients" $root | trim | nindent 6 }}
      {{- with rest . | first }}
      {{- . | nindent 6 }}
      {{- end }}
{{- end }}

{{/* The same for CloudNativePG's. What goes out is not limited: the servers talk to the API server and to where their backups
     are. */}}
{{- define "wasiki.clusterPolicy" -}}
{{- $root := first . -}}
podSelector:
  matchLabels:
    cnpg.io/cluster: {{ include "wasiki.clusterName" $root }}
policyTypes: [Ingress]
ingress:
  - ports:
      - {port: 5432, protocol: TCP}
    from:
      {{- include "wasiki.databaseClients" $root | trim | nindent 6 }}
      {{- with rest . | first }}
      {{- . | nindent 6 }}
      {{- end }}
      {{- if $root.Values.cnpg.pooler.enabled }}
      - podSelector:
          matchLabels:
            cnpg.io/poolerName: {{ include "wasiki.poolerName" $root }}
      {{- end }}
  # Replication, and the port on which servers tell how they are.
  - ports:
      - {port: 5432, protocol: TCP}
      - {port: 8000, protocol: TCP}
    from:
      - podSelector:
          matchLabels:
            cnpg.io/cluster: {{ include "wasiki.clusterName" $root }}
      - namespaceSelector:
          matchLabels:
            kubernetes.io/metadata.name: {{ $root.Values.cnpg.operatorNamespace }}
  # Metrics.
  - ports:
      - {port: 9187, protocol: TCP}
{{- end }}
