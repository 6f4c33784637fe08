import { expect, test } from "vitest";
import { formatImageName, parseImageName, registryOf } from "./image-name.ts";

test.each([
  { text: "redis", want: "redis:latest", registry: "docker.io" },
  { text: "redis:7", want: "redis:7", registry: "docker.io" },
  { text: "myorg/myapp", want: "myorg/myapp:latest", registry: "docker.io" },
  { text: "localhost/app:1", want: "localhost/app:1", registry: "localhost" },
  { text: "127.0.0.1:5000/team/app", want: "127.0.0.1:5000/team/app:latest", registry: "127.0.0.1:5000" },
  { text: "registry.example/app@sha256:abc", want: "registry.example/app@sha256:abc", registry: "registry.example" },
  { text: "app:1@sha256:abc", want: "app@sha256:abc", registry: "docker.io" },
  { text: "https://registry.example/app", want: "registry.example/app:latest", registry: "registry.example" },
])("$text", ({ text, want, registry }) => {
  expect(formatImageName(parseImageName(text))).toBe(want);
  expect(registryOf(parseImageName(text))).toBe(registry);
});
