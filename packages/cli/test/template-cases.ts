/** Templates over the data of `fake-servers.ts`; what consul-template makes of them is in `testdata/consul-template`. */
export const templateCases: Readonly<Record<string, string>> = {
  "a key": '{{ key "app/name" }}',
  "a key with a slash in front": '{{ key "/app/name" }}',
  "a key of a datacenter": '{{ key "app/name@dc1" }}',
  "a key that is not there, with a default": '{{ keyOrDefault "app/none" "fallback" }}',
  "an empty key, with a default": '{{ keyOrDefault "app/empty" "fallback" }}',
  "whether keys are there":
    '{{ keyExists "app/name" }} {{ keyExists "app/none" }} {{ if keyExists "app/empty" }}yes{{ end }}',
  "keys directly under a prefix": '{{ range ls "app" }}{{ .Key }}={{ .Value }};{{ end }}',
  "keys directly under a prefix with a slash": '{{ range ls "app/" }}{{ .Path }} {{ .Key }}={{ .Value }};{{ end }}',
  "keys under a deeper prefix": '{{ range ls "app/sub" }}{{ .Key }}={{ .Value }};{{ end }}',
  "all keys under a prefix": '{{ range tree "app" }}{{ .Key }}={{ .Value }};{{ end }}',
  "a prefix without keys": '{{ range tree "none" }}x{{ else }}nothing{{ end }}',
  "the same safely": '{{ range safeTree "app" }}{{ .Key }};{{ end }}{{ range safeLs "app" }}{{ .Key }};{{ end }}',
  "keys in groups":
    '{{ range $k, $p := tree "app" | byKey }}{{ $k }}:{{ range $n, $v := $p }}{{ $n }}={{ $v }} {{ end }}{{ end }}',
  "a tree as data": '{{ with tree "app" | explode }}{{ .name }} {{ .sub.a }} {{ toJSON . }}{{ end }}',
  "healthy instances":
    '{{ range service "web" }}{{ .Node }} {{ .Address }}:{{ .Port }} {{ .Tags }} {{ .Status }};{{ end }}',
  "instances of any health":
    '{{ range service "web|any" }}{{ .ID }} {{ .Name }} {{ .Address }}:{{ .Port }} {{ .Status }};{{ end }}',
  "instances by two arguments": '{{ range service "web" "passing,warning" }}{{ .ID }};{{ end }}',
  "instances with a tag, near a node": '{{ range service "v2.web@dc1~_agent|any" }}{{ .ID }};{{ end }}',
  "an instance's node and meta":
    '{{ range service "web|any" }}{{ .NodeID }} {{ .NodeAddress }} {{ .NodeMeta.rack }} {{ .NodeTaggedAddresses.lan }} {{ .ServiceMeta.version }} {{ .Weights.Passing }};{{ end }}',
  "an instance's checks":
    '{{ range service "web|any" }}{{ range .Checks }}{{ .CheckID }} {{ .Name }} {{ .Status }} {{ .Output }};{{ end }}{{ end }}',
  "whether an instance has a tag":
    '{{ range service "web|any" }}{{ if .Tags | contains "blue" }}yes{{ else }}no{{ end }} {{ in .Tags "red" }};{{ end }}',
  "tags joined": '{{ range service "web|any" }}{{ .Tags | join "," }};{{ end }}',
  "instances by tag":
    '{{ range $tag, $list := service "web|any" | byTag }}{{ $tag }}:{{ range $list }}{{ .ID }} {{ end }};{{ end }}',
  "a service without instances": '{{ range service "none" }}x{{ else }}nobody{{ end }}{{ service "none" | len }}',
  "all services": "{{ range services }}{{ .Name }}:{{ range .Tags }}{{ . }} {{ end }};{{ end }}",
  "services of a datacenter": '{{ range services "@dc1" }}{{ .Name }};{{ end }}',
  "all nodes":
    "{{ range nodes }}{{ .Node }} {{ .Address }} {{ .Datacenter }} {{ .Meta.rack }} {{ .TaggedAddresses.lan }} {{ .ID }};{{ end }}",
  "nodes near": '{{ range nodes "@dc1~_agent" }}{{ .Node }};{{ end }}',
  "the own node":
    "{{ with node }}{{ .Node.Node }} {{ .Node.Address }}{{ range .Services }} {{ .ID }} {{ .Service }}:{{ .Port }} {{ .Tags }}{{ end }}{{ end }}",
  "a node by name":
    '{{ with node "node-a@dc1" }}{{ .Node.Node }}{{ range .Services }} {{ .Meta.version }}{{ end }}{{ end }}',
  datacenters: '{{ range datacenters }}{{ . }} {{ end }}{{ datacenters | join "," }}',
  "a service for each name":
    '{{ range services }}{{ $n := .Name }}{{ if eq $n "web" }}{{ range service $n }}{{ .Port }}{{ end }}{{ end }}{{ end }}',
  "a credential":
    '{{ with secret "postgresql/creds/readonly" }}{{ if .Data.username }}user{{ end }} {{ .LeaseDuration }} {{ .Renewable }} {{ if .LeaseID }}leased{{ end }}{{ end }}',
  "a secret of a kv engine, version 2":
    '{{ with secret "secret/app" }}{{ .Data.data.color }} {{ .Data.data.port }} {{ .Data.metadata.version }}{{ end }}',
  "the same by its full path": '{{ with secret "secret/data/app" }}{{ .Data.data.color }}{{ end }}',
  "a version of it": '{{ with secret "secret/app?version=3" }}{{ .Data.data.color }}{{ end }}',
  "a secret of a kv engine, version 1": '{{ with secret "old/app" }}{{ .Data.color }} {{ .LeaseDuration }}{{ end }}',
  "a secret's field that is not there": '{{ with secret "old/app" }}[{{ .Data.none }}]{{ end }}',
  "a secret as JSON": '{{ with secret "secret/app" }}{{ .Data.data | toJSON }}{{ end }}',
  "a secret's fields one by one":
    '{{ with secret "secret/app" }}{{ range $k, $v := .Data.data }}{{ $k }}={{ $v }};{{ end }}{{ end }}',
  "what comes of writing": '{{ with secret "old/written" "role=web" }}{{ .Data.token }}{{ end }}',
  "names of secrets": '{{ range secrets "secret" }}{{ . }};{{ end }}',
  "a file": '{{ file "included.txt" }}',
  "a template in a template":
    '{{ define "line" }}<{{ . }}>{{ end }}{{ executeTemplate "line" (key "app/name") }}{{ template "line" "x" }}',
  "a scratch": '{{ scratch.Set "n" (key "app/name") }}{{ scratch.Get "n" }}{{ scratch.Key "m" }}',
  "the environment": '{{ env "CASE_VARIABLE" }} {{ envOrDefault "CASE_NONE" "d" }} {{ env "CASE_NONE" }}',
  "a key that names another": '{{ key (printf "app/%s" (key "app/which")) }}',
  "a pipeline": '{{ key "app/name" | toUpper | printf "%q" }}',
  "a block with an else": '{{ with keyOrDefault "app/none" "" }}{{ . }}{{ else }}none{{ end }}',
  "a value printed as Go prints it":
    '{{ range service "web" }}{{ .Tags }} {{ .NodeMeta }} {{ .Port | printf "%05d" }}{{ end }}',
};

/** What the keys of the cases are. */
export const caseKeys: Readonly<Record<string, string>> = {
  "app/name": "millwright",
  "app/empty": "",
  "app/which": "name",
  "app/sub/a": "1",
  "app/sub/b": "2",
  "app/folder/": "",
};
