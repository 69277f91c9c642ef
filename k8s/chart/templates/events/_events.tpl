{{/* Events: what every object of theirs has to know. */}}

{{/* "true" when events go through a broker. */}}
{{- define "wasiki.broker" -}}
{{- if ne .Values.events.mode "inline" -}}
true
{{- end }}
{{- end }}

{{/* "true" when that broker is a Kafka of the wiki's own. */}}
{{- define "wasiki.ownBroker" -}}
{{- if and (include "wasiki.broker" .) (not .Values.events.kafka.external.brokers) -}}
true
{{- end }}
{{- end }}

{{/* "true" when Debezium runs here. */}}
{{- define "wasiki.debezium" -}}
{{- if and (eq .Values.events.mode "cdc") .Values.events.cdc.enabled -}}
true
{{- end }}
{{- end }}

{{/* The topics, as JSON. The column `aggregatetype` of the table `outbox` has their names. */}}
{{- define "wasiki.topics" -}}
["page-events", "task-events", "reminders", "account-events"]
{{- end }}

{{- define "wasiki.deadLetters" -}}
dead-letters
{{- end }}

{{/* The services that consume, with their topics, as JSON; none with mode inline. They need not run here. */}}
{{- define "wasiki.consumers" -}}
{{- $all := include "wasiki.topics" . | fromJsonArray -}}
{{- if include "wasiki.broker" . -}}
{{ list (dict "name" "notification" "topics" (without $all "account-events")) (dict "name" "audit" "topics" $all) (dict "name" "webhooks" "topics" $all) | toJson }}
{{- else -}}
[]
{{- end }}
{{- end }}

{{/* Those of them that run here. */}}
{{- define "wasiki.services" -}}
{{ ternary (include "wasiki.consumers" .) "[]" .Values.events.services.enabled }}
{{- end }}

{{/* Names. That of a service is its app-id and its consumer group, too: (list $ "service"). */}}

{{- define "wasiki.serviceName" -}}
{{ include "wasiki.fullname" (first .) }}-{{ last . }}
{{- end }}

{{/* Dapr's component for a service, or for the wiki, which publishes: (list $ "service") or (list $). */}}
{{- define "wasiki.pubsubName" -}}
{{ include "wasiki.fullname" (first .) }}-pubsub{{ range rest . }}-{{ . }}{{ end }}
{{- end }}

{{- define "wasiki.kafkaName" -}}
{{ include "wasiki.fullname" . }}-events
{{- end }}

{{- define "wasiki.connectName" -}}
{{ include "wasiki.fullname" . }}-connect
{{- end }}

{{/* The Secret with the token of the paths below /-/; nothing where only wiki-runner's timer calls them. */}}
{{- define "wasiki.eventsSecret" -}}
{{- with .Values.events.token -}}
{{- if or (include "wasiki.broker" $) .generate .existingSecret -}}
{{ default (printf "%s-events" (include "wasiki.fullname" $)) .existingSecret }}
{{- end }}
{{- end }}
{{- end }}

{{/* The volume with the token: an item for `volumes`. */}}
{{- define "wasiki.eventsVolume" -}}
{{- with include "wasiki.eventsSecret" . -}}
- name: events
  projected:
    # 0440, for the pod's group, which is fsGroup. In decimal, for YAML 1.2 has no such octal numbers.
    defaultMode: 288
    sources:
      - secret:
          name: {{ . }}
          items: [{key: token, path: token}]
{{- end }}
{{- end }}

{{- define "wasiki.eventsMount" -}}
- name: events
  mountPath: /run/secrets/events
  readOnly: true
{{- end }}

{{/* The runner's settings of events, as a map. */}}
{{- define "wasiki.eventsSettings" -}}
{{- include "wasiki.checkEvents" . -}}
{{- with .Values.events -}}
SPIN_VARIABLE_EVENTS: {{ ternary "inline" .mode .drain }}
{{- if include "wasiki.eventsSecret" $ }}
SPIN_VARIABLE_EVENTS_TOKEN_FILE: /run/secrets/events/token
{{- end }}
{{- if eq .mode "dapr" }}
SPIN_VARIABLE_DAPR_PUBSUB: {{ include "wasiki.pubsubName" (list $) }}
{{- end }}
{{- with .webhooks.hosts }}
SPIN_VARIABLE_WEBHOOK_HOSTS: {{ . | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* Refuses what takes several values to see. */}}
{{- define "wasiki.checkEvents" -}}
{{- $events := .Values.events -}}
{{- if and $events.drain (ne $events.mode "dapr") -}}
{{- fail (printf "events.drain is true, but events.mode is %s: only with dapr, there may be events in Kafka that the wiki would not move again" $events.mode) -}}
{{- end }}
{{- if include "wasiki.broker" . -}}
{{- with $events.kafka.external -}}
{{- if and .brokers (eq .authentication "scram-sha-512") (not (and .username .existingSecret)) -}}
{{- fail "events.kafka.external.authentication is scram-sha-512: set events.kafka.external.username and existingSecret, or authentication to none" -}}
{{- end }}
{{- end }}
{{- if and (include "wasiki.ownBroker" .) (gt (int $events.topics.replicas) (int $events.kafka.replicas)) -}}
{{- fail (printf "events.topics.replicas is %d, but events.kafka.replicas is %d: a topic has no more copies than there are brokers" (int $events.topics.replicas) (int $events.kafka.replicas)) -}}
{{- end }}
{{- with $events.services.autoscaling -}}
{{- if and .enabled $events.services.enabled (gt (int .maxReplicas) (int $events.topics.partitions)) -}}
{{- fail (printf "events.services.autoscaling.maxReplicas is %d, but events.topics.partitions is %d: the pods above that would have nothing to do" (int .maxReplicas) (int $events.topics.partitions)) -}}
{{- end }}
{{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) -}}
{{- fail (printf "events.services.autoscaling.minReplicas is %d, but maxReplicas is %d" (int .minReplicas) (int .maxReplicas)) -}}
{{- end }}
{{- end }}
{{- end }}
{{- if include "wasiki.debezium" . -}}
{{- with $events.cdc -}}
{{- if not (or .image .build.image) -}}
{{- fail "events.mode is cdc: name an image of Kafka Connect with Debezium in events.cdc.image, or in events.cdc.build.image where Strimzi shall push one; or set events.cdc.enabled=false if a Kafka Connect of yours has the connector" -}}
{{- end }}
{{- if not .database.existingSecret -}}
{{- fail "events.mode is cdc: make a role of the database that may read its log, and name the Secret with its password in events.cdc.database.existingSecret (docs/DEPLOYMENT.md)" -}}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Annotations for Dapr's sidecar: (list $ "service"), or (list $) for the wiki, which publishes and is sent nothing. */}}
{{- define "wasiki.daprAnnotations" -}}
{{- $root := first . -}}
{{- $dapr := $root.Values.events.dapr -}}
dapr.io/enabled: "true"
dapr.io/app-id: {{ if rest . }}{{ include "wasiki.serviceName" . }}{{ else }}{{ include "wasiki.fullname" $root }}{{ end }}
{{- if rest . }}
dapr.io/app-port: "8000"
dapr.io/app-protocol: http
dapr.io/app-token-secret: {{ include "wasiki.eventsSecret" $root }}
# While the database is away, nothing is consumed, and nothing becomes a dead letter.
dapr.io/enable-app-health-check: "true"
dapr.io/app-health-check-path: /-/ready
dapr.io/app-health-probe-interval: "5"
# In milliseconds.
dapr.io/app-health-probe-timeout: "4000"
dapr.io/app-health-threshold: "2"
{{- else }}
# The wiki publishes as long as it serves.
dapr.io/block-shutdown-duration: {{ add $root.Values.wiki.shutdown.preStopSeconds $root.Values.wiki.shutdown.drainDelaySeconds }}s
{{- end }}
# Its default is the runner's port of health and metrics.
dapr.io/metrics-port: "9091"
# Dapr's operator reads the Secrets of components. The sidecar would need a token for the API server, which pods here have not.
dapr.io/disable-builtin-k8s-secret-store: "true"
dapr.io/log-as-json: "true"
dapr.io/sidecar-seccomp-profile-type: RuntimeDefault
{{- range $kind, $amounts := $dapr.sidecar }}
{{- range $resource, $amount := $amounts }}
dapr.io/sidecar-{{ $resource }}-{{ trimSuffix "s" $kind }}: {{ $amount | quote }}
{{- end }}
{{- end }}
{{- range $name, $value := $dapr.annotations }}
{{ $name }}: {{ $value | quote }}
{{- end }}
{{- end }}

{{/* Where the brokers are, and how clients prove who they are, as a map; `user` is whose name and password: (list $ "user"). */}}
{{- define "wasiki.kafka" -}}
{{- $root := first . -}}
{{- if include "wasiki.ownBroker" $root -}}
{{- $cluster := include "wasiki.kafkaName" $root -}}
{{- $user := include "wasiki.serviceName" . -}}
brokers: [{{ $cluster }}-kafka-bootstrap:9093]
scram: true
tls: true
# The User Operator makes the password, and the Cluster Operator the authority.
user: {{ $user }}
secret: {{ $user }}
passwordKey: password
caSecret: {{ $cluster }}-cluster-ca-cert
caKey: ca.crt
{{- else }}
{{- with $root.Values.events.kafka.external -}}
brokers: {{ toJson .brokers }}
scram: {{ eq .authentication "scram-sha-512" }}
tls: {{ .tls.enabled }}
user: {{ .username | quote }}
secret: {{ .existingSecret | quote }}
passwordKey: {{ .passwordKey }}
{{- if .tls.enabled }}
caSecret: {{ .tls.caSecret | quote }}
caKey: {{ .tls.caKey }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* NetworkPolicy rules by which a pod reaches the brokers: a list for `egress`. */}}
{{- define "wasiki.brokerEgress" -}}
{{- if include "wasiki.ownBroker" . -}}
- to:
    - podSelector:
        matchLabels:
          strimzi.io/cluster: {{ include "wasiki.kafkaName" . }}
  ports:
    - {port: 9093, protocol: TCP}
{{- else -}}
- to:
    {{- range .Values.networkPolicy.brokerCidrs }}
    - ipBlock:
        cidr: {{ . | quote }}
    {{- end }}
  ports:
    {{- $ports := list }}
    {{- range .Values.events.kafka.external.brokers }}
    {{- $ports = append $ports (splitList ":" . | last) }}
    {{- end }}
    {{- range uniq $ports }}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
{{- end }}
{{- end }}

{{/* The same for pods with a sidecar, which also talks to Dapr's control plane: its operator, authority, placement, scheduler. */}}
{{- define "wasiki.sidecarEgress" -}}
{{ include "wasiki.brokerEgress" . }}
- to:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: {{ .Values.events.dapr.namespace }}
  ports:
    {{- range list 6500 50001 50005 50006 }}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
{{- end }}

{{/* NetworkPolicy rules by which the wiki reaches the servers of webhooks: a list for `egress`. */}}
{{- define "wasiki.webhookEgress" -}}
{{- with .Values.networkPolicy.webhookCidrs -}}
{{- $port := regexFind "[0-9]+$" $.Values.events.webhooks.hosts | default (ternary "80" "443" (hasPrefix "http://" $.Values.events.webhooks.hosts)) -}}
- to:
    {{- range . }}
    - ipBlock:
        cidr: {{ . | quote }}
        {{- /* Whoever makes a webhook must not reach into the cluster's own networks. */}}
        {{- if eq . "0.0.0.0/0" }}
        except: [10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16]
        {{- else if eq . "::/0" }}
        except: ["fc00::/7", "fe80::/10"]
        {{- end }}
    {{- end }}
  ports:
    - {port: {{ $port }}, protocol: TCP}
{{- end }}
{{- end }}
