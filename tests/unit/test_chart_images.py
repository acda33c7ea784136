"""Which images a rendered chart runs, as the preflight looks for them on the nodes."""

from __future__ import annotations

import pytest
import yaml

from steps.findings.images import images_of

CHART = """\
---
# Source: cilium/templates/cilium-agent/daemonset.yaml
apiVersion: apps/v1
kind: DaemonSet
spec:
  template:
    spec:
      initContainers:
      - name: config
        image: "quay.io/cilium/cilium:v1@sha256:aa"
      containers:
      - image: quay.io/cilium/cilium:v1@sha256:aa
        name: cilium-agent
      - {name: envoy, image: 'quay.io/cilium/envoy:v2'}
---
---
apiVersion: v1
kind: ConfigMap
data:
  text: |
    image: example.org/not/run:1
---
kind: CustomResourceDefinition
spec:
  properties:
    image: {type: string}
    port:
      image: 5
"""


def test_every_image_is_there_once_and_in_order() -> None:
    assert images_of(CHART) == ["quay.io/cilium/cilium:v1@sha256:aa", "quay.io/cilium/envoy:v2"]


def test_a_text_that_looks_like_an_image_and_a_key_that_holds_none_are_left_out() -> None:
    found = images_of(CHART)
    assert "example.org/not/run:1" not in found, "an up would wait for an image that nothing runs"
    assert len(found) == 2, "a schema's property would be asked for as an image"


def test_a_chart_that_renders_nothing_has_no_images() -> None:
    assert images_of("") == images_of("---\n# nothing\n") == []


def test_what_is_no_yaml_is_an_error_and_no_empty_list() -> None:
    with pytest.raises(yaml.YAMLError):
        images_of("a: [")
