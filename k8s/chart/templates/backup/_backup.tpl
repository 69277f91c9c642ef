{{/* The pod of a dump or a restoration: (dict "root" $ "script" "…"). */}}
{{- define "wasiki.backupPod" -}}
{{- $root := .root -}}
metadata:
  labels:
    {{- include "wasiki.labels" (list $root "backup") | nindent 4 }}
spec:
  {{- include "wasiki.podCommon" (list $root) | nindent 2 }}
  securityContext:
    {{- include "wasiki.podSecurity" $root.Values.postgresql.image.user | nindent 4 }}
  restartPolicy: Never
  containers:
    - name: backup
      image: {{ include "wasiki.backupImage" $root }}
      imagePullPolicy: {{ $root.Values.postgresql.image.pullPolicy }}
      securityContext:
        {{- include "wasiki.containerSecurity" $root | nindent 8 }}
      env:
        {{- include "wasiki.libpqEnv" $root | nindent 8 }}
        - name: KEEP
          value: {{ $root.Values.backup.keep | quote }}
        - name: RESTORE_FILE
          value: {{ $root.Values.backup.restoreFile | quote }}
      workingDir: /backup
      command: [sh, -euc]
      args:
        - |
          {{- .script | nindent 10 }}
      resources:
        {{- toYaml $root.Values.backup.resources | nindent 8 }}
      volumeMounts:
        {{- include "wasiki.databaseMount" $root | nindent 8 }}
        - {name: backup, mountPath: /backup}
        - {name: tmp, mountPath: /tmp}
  volumes:
    {{- include "wasiki.databaseVolume" (list $root) | nindent 4 }}
    - name: backup
      persistentVolumeClaim:
        claimName: {{ default (printf "%s-backup" (include "wasiki.fullname" $root)) $root.Values.backup.storage.existingClaim }}
    - name: tmp
      emptyDir: {}
{{- end }}
