{{/* Who reads and writes, and the first administrator's password. */}}

{{/* The Secret with the password; nothing when the wiki is open, which has no administrator. */}}
{{- define "wasiki.adminSecret" -}}
{{- with .Values.wiki.access -}}
{{- if ne .mode "open" -}}
{{ default (printf "%s-admin" (include "wasiki.fullname" $)) .existingSecret }}
{{- end }}
{{- end }}
{{- end }}

{{/* The runner's settings of access, as a map. */}}
{{- define "wasiki.accessSettings" -}}
SPIN_VARIABLE_ACCESS: {{ .Values.wiki.access.mode }}
{{- if include "wasiki.adminSecret" . }}
SPIN_VARIABLE_ADMIN_USERNAME: {{ .Values.wiki.access.adminUsername | quote }}
SPIN_VARIABLE_ADMIN_PASSWORD_FILE: /run/secrets/admin/password
{{- end }}
{{- with .Values.wiki.trustedProxies }}
RUNNER_TRUSTED_PROXIES: {{ join "," . | quote }}
{{- end }}
{{- end }}

{{/* The volume with the password: an item for `volumes`. */}}
{{- define "wasiki.adminVolume" -}}
{{- with include "wasiki.adminSecret" . -}}
- name: admin
  projected:
    # 0440, for the pod's group, which is fsGroup. In decimal, for YAML 1.2 has no such octal numbers.
    defaultMode: 288
    sources:
      - secret:
          name: {{ . }}
          items: [{key: {{ $.Values.wiki.access.passwordKey }}, path: password}]
{{- end }}
{{- end }}

{{- define "wasiki.adminMount" -}}
- name: admin
  mountPath: /run/secrets/admin
  readOnly: true
{{- end }}
