"""The story: the settings, a look at the world, what this `up` will own, and what is built of it. No logic."""

import signal

import pulumi

import settings as stack_settings
from components.wiring import build
from plan.claim import claim_for
from plan.hubble import check_port
from plan.observation import observe

# Only the engine sends this SIGINT, once a resource has failed and it waits for the program no longer (a terminal's
# Ctrl-C goes to the CLI, which is in another process group). Python would print where it was: the SDK's traceback,
# below the error that matters.
signal.signal(signal.SIGINT, signal.SIG_DFL)

settings = stack_settings.load()
observed = observe(settings.cluster.name)
check_port(settings, observed)
claim = claim_for(settings, observed)
built = build(settings, observed, claim)

pulumi.export("cluster", settings.cluster.name)
pulumi.export("cni", settings.cni)
pulumi.export("epoch", claim.epoch)
pulumi.export("nodes", built.cluster.node_names)
pulumi.export("kubeconfig", built.cluster.kubeconfig)
pulumi.export("paused", built.verification.paused)
pulumi.export("verification", built.verification.result)
pulumi.export("interruption", built.interruption)
pulumi.export("hubble", built.hubble)
