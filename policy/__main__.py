"""The policy pack cni-migration: started by `run`, asked by the engine about each resource and about the stack."""

from pulumi_policy import EnforcementLevel, PolicyPack

from rules import RULES
from wire import as_sent

as_sent()
PolicyPack("cni-migration", RULES, EnforcementLevel.MANDATORY)
