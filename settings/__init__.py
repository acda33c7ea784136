"""What a stack's settings may say, and the only reader of pulumi.Config. Knows no resource."""

from settings.defaults import DEFAULTS
from settings.errors import SettingsError
from settings.layers import PROJECT, SITE_VARIABLE, site, stack_config, tree_of
from settings.stack import CiliumSettings, ClusterSettings, Cni, ImageSettings, Settings, load, parse

__all__ = [
    "DEFAULTS",
    "PROJECT",
    "SITE_VARIABLE",
    "CiliumSettings",
    "ClusterSettings",
    "Cni",
    "ImageSettings",
    "Settings",
    "SettingsError",
    "load",
    "parse",
    "site",
    "stack_config",
    "tree_of",
]
