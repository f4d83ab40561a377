{{- define "vexobj.labels" -}}
app.kubernetes.io/name: vexobj
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}
