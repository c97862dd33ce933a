"""The pages from a server: search by words and by meaning, other days, every table as CSV.

`access` says who may read, `asked` what an address asks for, `sites` keeps the pages of a state of the database, `pages` answers.
"""

from monitor.serve.access import access_of
from monitor.serve.listen import listen, serve
from monitor.serve.pages import build_app

__all__ = ["access_of", "build_app", "listen", "serve"]
