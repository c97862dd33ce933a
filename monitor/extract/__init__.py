"""A page, a PDF or the text in a feed → an article, or the reason why there is none.

`read_page` takes a fetched document, `read_entry` the text that a feed carries itself. Both are pure, never raise, and take and
return what can be pickled: they run in other processes, for a page may take a second and a bad one may not end.

`decoding` bytes → text; `page` its metadata (`linked`: structured data, `times`, `language`); `body` where its text stands
(`blocks`, `boilerplate`); `verdicts` what is no article; `paragraphs`; `pdf`; `article` puts them together.
"""

from monitor.extract.article import read_entry, read_page
from monitor.extract.language import language_of, load_models
from monitor.extract.paragraphs import fingerprint, paragraphs_of

__all__ = ["fingerprint", "language_of", "load_models", "paragraphs_of", "read_entry", "read_page"]
