"""areawatch reads news feeds in any language, finds the paragraphs that mention the technology areas you watch, and says why.

The stages in order: poll → read → group → analyse → count → alert → report; `monitor.pipeline` is where to begin.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("areawatch")
except PackageNotFoundError:  # a checkout that was not installed
    __version__ = "0"
