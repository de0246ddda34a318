"""A Sphinx extension that makes a Jupyter Book light, private and offline.

Each concern is a module of its own with a `setup(app)`; `lightbook_off` in the configuration names those to
leave out.
"""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError

from sphinx_lightbook import (
    collector,
    fingerprints,
    head,
    icons,
    images,
    math,
    navigation,
    notfound,
    offline,
    policy,
    private,
    purge,
    report,
    scripts,
    sitemap,
    styles,
    theme,
    words,
)
from sphinx_lightbook.memory import code_digest

__version__ = "0.1.0"

CONCERNS = {
    "math": math.setup,
    "private": private.setup,
    "theme": theme.setup,
    "navigation": navigation.setup,
    "collector": collector.setup,
    "images": images.setup,
    "icons": icons.setup,
    "scripts": scripts.setup,
    "styles": styles.setup,
    "purge": purge.setup,
    "fingerprints": fingerprints.setup,
    "policy": policy.setup,
    "head": head.setup,
    "notfound": notfound.setup,
    "sitemap": sitemap.setup,
    "offline": offline.setup,
    "report": report.setup,
}


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the configuration values; the concerns follow as soon as the configuration can be read."""
    app.add_config_value("lightbook_off", [], "env", [list, tuple])
    app.add_config_value("lightbook_allow_hosts", [], "", [list, tuple])
    app.add_config_value("lightbook_offline_exclude", [], "", [list, tuple])
    app.add_config_value("lightbook_words", "", "", [str])
    # No setting: what the words are is compared, so that an edited catalogue counts.
    app.add_config_value("lightbook_catalogue", {}, "html")
    # No setting: a change of this package makes every page anew.
    app.add_config_value("lightbook_code", code_digest("sphinx_lightbook"), "env")
    # Early: what a concern sets must be there before the theme and other extensions look.
    app.connect("config-inited", set_up_concerns, priority=100)
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}


def set_up_concerns(app: Sphinx, config: Config) -> None:
    """Set up every concern that `lightbook_off` does not name.

    Raises:
        ConfigError: it names something else, or the book's catalogue of words has faults.
    """
    unknown = sorted(set(config.lightbook_off) - set(CONCERNS))
    if unknown:
        raise ConfigError(
            f"lightbook_off names {', '.join(map(repr, unknown))}; it can name {', '.join(CONCERNS)}"
        )
    config.lightbook_catalogue = words.find(config, app.confdir)
    for name, set_up in CONCERNS.items():
        if name not in config.lightbook_off:
            set_up(app)
