{{/* The pod of a dump or a restoration: (dict "root" $ "script" "…" "deadline" seconds, if there is one, "migrates" true if
     the migration follows). */}}
{{- define "wasiki.backupPod" -}}
{{- $root := .root -}}
{{- $migrates := and (hasKey . "migrates") $root.Values.migration.enabled -}}
metadata:
  labels:
    {{- include "wasiki.labels" (list $root "backup") | nindent 4 }}
spec:
  {{- include "wasiki.podCommon" (list $root) | nindent 2 }}
  securityContext:
    {{- include "wasiki.podSecurity" $root.Values.postgresql.image.user | nindent 4 }}
  restartPolicy: Never
  {{- with .deadline }}
  # Ends before the Job's own deadline, which would remove the pod with its log.
  activeDeadlineSeconds: {{ . }}
  {{- end }}
  {{- if $migrates }}
  # One after the other: a dump has neither later migrations nor the rights of the wiki's role.
  initContainers:
    {{- include "wasiki.backupContainer" . | nindent 4 }}
  containers:
    {{- include "wasiki.migrationContainer" $root | nindent 4 }}
  {{- else }}
  containers:
    {{- include "wasiki.backupContainer" . | nindent 4 }}
  {{- end }}
  volumes:
    {{- include "wasiki.databaseVolume" (ternary (list $root "owner" "role") (list $root "owner") $migrates) | nindent 4 }}
    - name: backup
      persistentVolumeClaim:
        claimName: {{ include "wasiki.backupClaim" $root }}
    - name: tmp
      emptyDir: {}
{{- end }}

{{/* What runs the script of such a pod: an item for `containers`. */}}
{{- define "wasiki.backupContainer" -}}
{{- $root := .root -}}
- name: backup
  image: {{ include "wasiki.backupImage" $root }}
  imagePullPolicy: {{ $root.Values.postgresql.image.pullPolicy }}
  securityContext:
    {{- include "wasiki.containerSecurity" $root | nindent 4 }}
  env:
    {{- include "wasiki.libpqEnv" $root | nindent 4 }}
    - name: KEEP
      value: {{ $root.Values.backup.keep | quote }}
    - name: RESTORE_FILE
      value: {{ $root.Values.backup.restoreFile | quote }}
  workingDir: /backup
  command: [sh, -euc]
  args:
    - |
      # The network may need a moment to let a new pod through, and the database one to start. `psql` says why it fails.
      end=$(($(date +%s) + 120))
      until PGCONNECT_TIMEOUT=5 psql --no-psqlrc --quiet --command='SELECT 1' > /dev/null 2> /tmp/reason; do
        if [ "$(date +%s)" -ge "$end" ]; then
          echo "gave up after 120 s, nothing was changed: $(cat /tmp/reason)" >&2
          exit 1
        fi
        sleep 1
      done
      {{- .script | nindent 6 }}
  resources:
    {{- toYaml $root.Values.backup.resources | nindent 4 }}
  volumeMounts:
    {{- include "wasiki.databaseMount" $root | nindent 4 }}
    - {name: backup, mountPath: /backup}
    - {name: tmp, mountPath: /tmp}
{{- end }}

{{/* The claim of the volume with the dumps. */}}
{{- define "wasiki.backupClaim" -}}
{{ default (printf "%s-backup" (include "wasiki.fullname" .)) .Values.backup.storage.existingClaim }}
{{- end }}

{{/* The spec of a pod that only mounts that volume. It says whether dumps can be written. */}}
{{- define "wasiki.backupClaimPod" -}}
{{- include "wasiki.podCommon" (list .) }}
securityContext:
  {{- include "wasiki.podSecurity" .Values.postgresql.image.user | nindent 2 }}
restartPolicy: Never
containers:
  - name: volume
    image: {{ include "wasiki.backupImage" . }}
    imagePullPolicy: {{ .Values.postgresql.image.pullPolicy }}
    securityContext:
      {{- include "wasiki.containerSecurity" . | nindent 6 }}
    command: [test, -w, /backup]
    resources:
      {{- toYaml .Values.backup.resources | nindent 6 }}
    volumeMounts:
      - {name: backup, mountPath: /backup}
volumes:
  - name: backup
    persistentVolumeClaim:
      claimName: {{ include "wasiki.backupClaim" . }}
{{- end }}
