"""What a stack's settings may say, and the only reader of pulumi.Config. Knows no resource."""

from settings.stack import (
    DEFAULTS,
    PROJECT,
    SITE_VARIABLE,
    CiliumSettings,
    ClusterSettings,
    Cni,
    ImageSettings,
    Settings,
    SettingsError,
    load,
    parse,
    site,
    stack_config,
)

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
]
