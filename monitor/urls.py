"""One URL for one page: `canonical_url`, by which articles are told apart, and `shown`, a URL that may be printed.

courlan's tracker pattern is not used: it is unanchored, so it drops `gallery=7`, `reference=12` and `uid=4` as well, and its
query parser drops `?12345`; two pages would become one. Parameters are named here instead, whole or by a prefix, from the lists
of AdGuard, ClearURLs and Firefox, and what newsrooms add to the links in their feeds.
"""

from __future__ import annotations

import base64
import binascii
import re
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urljoin, urlsplit, urlunsplit

import idna

MAX_LENGTH = 8_192  # characters; servers refuse longer ones
DEFAULT_PORTS = {"http": 80, "https": 443}

TRACKING_PREFIXES = (
    "utm_", "mtm_", "pk_", "piwik_", "matomo_", "hsa_", "_hs", "__hs", "itm_", "vero_", "oly_", "guce_", "fb_action_", "ga_",
    "trk_", "rb_click", "__cft__", "__tn__", "bsft_", "at_campaign", "at_medium", "at_link_", "at_bbc_", "at_ptr_", "at_custom",
    "at_format", "ns_mchannel", "ns_source", "ns_campaign", "ns_linkname", "wt_mc", "wt.mc", "wt_zmc",
)  # fmt: skip
_TRACKING = """
    fbclid gclid gclsrc dclid gbraid wbraid yclid ysclid ymclid msclkid twclid ttclid igshid igsh li_fat_id mibextid epik zanpid
    irclickid wickedid srsltid _ga _gl _openstat xtor cmpid cmp icid icmp ncid s_cid s_kwcid cvid ocid ito smid smtyp emc mc_cid
    mc_eid mkt_tok ml_subscriber ml_subscriber_hash fb_ref fb_source guccounter .tsrc tsrc feedtype feedname rssid spm scm
    share_token share_source sharefrom trk trkcampaign __twitter_impression campaign_id campaignid adgroupid wtrid wprov
    sr_share sc_campaign sc_channel jsessionid phpsessid xing_share
"""
TRACKING = frozenset(_TRACKING.split())
# names that mean something on many sites, and are dropped only where the value says «from a feed» or «shared»
_FROM = "ref from source src via mod ftag partner origin referer referrer rel feature srnd at cid dlbk sh"
FROM = frozenset(_FROM.split())
FROM_VALUE = re.compile(r"(rss|atom|feed|xml|newsletter|e?mail|twitter|facebook|social|share|googlenews|google_news)([^a-z].*)?$", re.I)

# where a redirecting page keeps its target: host, path prefix, parameters
WRAPPERS: tuple[tuple[re.Pattern[str], str, tuple[str, ...]], ...] = tuple(
    (re.compile(host), path, tuple(names.split()))
    for host, path, names in (
        (r"(www|news)\.google\.[a-z.]+$|google\.[a-z.]+$", "/url", "url q"),
        (r"news\.google\.[a-z.]+$", "/news/url", "url"),
        (r"(www\.)?bing\.com$", "/news/apiclick.aspx", "url"),
        (r"(lm?|l)\.facebook\.com$|l\.(instagram|threads)\.(com|net)$", "/", "u"),
        (r"(www\.)?facebook\.com$", "/l.php", "u"),
        (r"out\.reddit\.com$", "/", "url"),
        (r"(www\.)?youtube\.com$", "/redirect", "q"),
        (r"(www\.)?linkedin\.com$", "/redir/redirect", "url"),
        (r"(www\.)?linkedin\.com$", "/safety/go", "url"),
        (r"t\.umblr\.com$", "/redirect", "z"),
        (r"(html\.)?duckduckgo\.com$", "/l/", "uddg"),
        (r"([a-z0-9]+\.)?safelinks\.protection\.outlook\.com$", "/", "url"),
        (r"slack-redir\.net$", "/link", "url"),
        (r"steamcommunity\.com$", "/linkfilter/", "url u"),
        (r"getpocket\.com$", "/redirect", "url"),
        (r"go\.(redirectingat|skimresources)\.com$", "/", "url"),
        (r"exit\.sc$", "/", "url"),
        (r"(away\.)?vk\.(com|ru)$", "/away", "to"),
        (r"link\.(zhihu|juejin)\.(com|cn)$", "/", "target"),
        (r"weibo\.cn$", "/sinaurl", "u toasturl"),
        (r"c\.pc\.qq\.com$", "/", "pfurl url"),
        (r"(www\.)?awin1\.com$", "/cread.php", "ued p"),
    )
)

_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]+")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")
_SESSION_IN_PATH = re.compile(r";(jsessionid|phpsessid|sid)=[^/;]*", re.I)
_AMP_CACHE = re.compile(r"/[cv]/(s/)?")
_INNER_URL = re.compile(rb"https?://[\x21-\x7e]+")
_SECRET_NAME = re.compile(r"key|token|secret|pass|pwd|auth|sig|code|session|credential|user|login|hash|access", re.I)
_SECRET_VALUE = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[\w.~+/=-]{16,}", re.S)


def canonical_url(url: str, base: str | None = None) -> str | None:
    """The one address of a page: absolute, http or https, without fragment, default port, credentials and tracking parameters.

    The host is lower-case and ASCII (IDNA), escapes are upper-case and only where needed, the query is sorted by name unless it
    is positional (`?12345`), and redirecting wrappers (Google, Bing, Facebook, AMP caches …) are replaced by their target.
    `base` is what a relative `url` is relative to. None where it is no usable http(s) address. Applying it twice changes nothing.
    """
    current = _normal(url, base)
    while current is not None:
        target = _unwrapped(current)
        inner = _normal(target, None) if target else None
        if inner is None or len(inner) >= len(current):
            return current
        current = inner
    return None


def absolute_url(url: str, base: str | None = None) -> str | None:
    """`url` as an absolute http(s) address to ask for: as `canonical_url` gives it, but with every parameter, in its order.

    Redirecting wrappers are replaced by their target here too. None where there is no such address.
    """
    parts = _split(url, base)
    if parts is None:
        return None
    canonical = _rebuilt(parts, parts.query)
    target = _unwrapped(canonical) if canonical else None
    return (absolute_url(target) if target and len(target) < len(url) else None) or canonical


def shown(url: str) -> str:
    """`url` as it may be logged: no credentials, no value that could be a secret, at most 200 characters. Never raises."""
    text = _CONTROL.sub("", url[: 2 * MAX_LENGTH])
    try:
        parts = urlsplit(text)
        netloc = parts.netloc.rpartition("@")[2]
        query = "&".join(_masked(pair) for pair in parts.query.split("&")) if parts.query else ""
        text = urlunsplit((parts.scheme, netloc, parts.path, query, ""))
    except ValueError:
        text = re.sub(r"//[^/?#]*@", "//", text).partition("?")[0]
    return text if len(text) <= 200 else text[:199] + "…"


def _masked(pair: str) -> str:
    name, equals, value = pair.partition("=")
    if not equals:
        return "…" if _SECRET_VALUE.match(name) else name
    return f"{name}=…" if value and (_SECRET_NAME.search(name) or _SECRET_VALUE.match(unquote(value))) else pair


def _split(url: str, base: str | None) -> SplitResult | None:
    """`url` cleaned and joined to `base`, where it is http or https and has a host."""
    text = _CONTROL.sub("", "".join(line.strip() for line in url.splitlines())).strip().replace(" ", "%20")
    text = text.removeprefix("<![CDATA[").removesuffix("]]>")
    if text[:5].lower() == "feed:":
        text = text[5:] if text[5:9].lower() == "http" else "http:" + text[5:]
    if not text or len(text) > MAX_LENGTH:
        return None
    try:
        parts = urlsplit(urljoin(base, text) if base else text)
    except ValueError:
        return None
    return parts if parts.scheme in DEFAULT_PORTS and parts.netloc else None


def _normal(url: str, base: str | None) -> str | None:
    parts = _split(url, base)
    return None if parts is None else _rebuilt(parts, _query(parts.query))


def _rebuilt(parts: SplitResult, query: str) -> str | None:
    netloc = _netloc(parts)
    if netloc is None:
        return None
    path = _escaped(_SESSION_IN_PATH.sub("", _without_dots(parts.path)), safe="/:@!$&'()*+,;=") or "/"
    built = urlunsplit((parts.scheme, netloc, path, _escaped_query(query), ""))
    return built if len(built) <= 3 * MAX_LENGTH else None


def _netloc(parts: SplitResult) -> str | None:
    try:
        port, host = parts.port, parts.hostname
    except ValueError:
        return None
    ascii_host = _ascii_host(host or "")
    if ascii_host is None or port == 0:
        return None
    return ascii_host if port in (None, DEFAULT_PORTS[parts.scheme]) else f"{ascii_host}:{port}"


def _ascii_host(host: str) -> str | None:
    """Lower-case ASCII form of `host`; None where it is none."""
    if ":" in host:
        try:
            return f"[{IPv6Address(host).compressed}]"
        except AddressValueError:
            return None
    host = unquote(host).rstrip(".\u3002\uff0e\uff61").lower()
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True, transitional=False).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return None
    return host if len(host) <= 253 and _HOST.fullmatch(host) and ".." not in host else None


def _without_dots(path: str) -> str:
    if "/." not in path and not path.startswith("."):
        return path
    kept: list[str] = []
    segments = path.split("/")
    for segment in segments:
        if segment == "..":
            if len(kept) > 1:
                kept.pop()
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    joined = "/".join(kept)
    return joined if joined.startswith("/") else "/" + joined


def _escaped(text: str, safe: str) -> str:
    """Percent-escapes in one form: unreserved characters plain, everything else outside `safe` escaped, digits upper-case."""

    def one(match: re.Match[str]) -> str:
        character = chr(int(match[1], 16))
        return character if character in _UNRESERVED else f"%{match[1].upper()}"

    return quote(_ESCAPE.sub(one, _STRAY_PERCENT.sub("%25", text)), safe=safe + "%", errors="replace")


def _escaped_query(query: str) -> str:
    return _escaped(query, safe="/?:@!$'()*+,;=&")


def _query(query: str) -> str:
    pairs = _escaped_query(query.replace("&amp;", "&")).split("&")
    kept = [pair for pair in pairs if pair and not _is_tracking(pair)]
    if all("=" in pair for pair in kept):
        kept.sort(key=lambda pair: pair.partition("=")[0])
    return "&".join(kept)


def _is_tracking(pair: str) -> bool:
    name, _, value = pair.partition("=")
    name = unquote(name).lower()
    if name in FROM:
        return FROM_VALUE.match(unquote(value)) is not None
    return name in TRACKING or name.startswith(TRACKING_PREFIXES)


def _unwrapped(url: str) -> str | None:
    """The target that a redirecting `url` names in itself."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    for pattern, prefix, names in WRAPPERS:
        if pattern.match(host) and parts.path.startswith(prefix):
            values = dict(reversed(parse_qsl(parts.query)))
            return next((values[name] for name in names if values.get(name, "").startswith(("http://", "https://"))), None)
    if host == "href.li":
        return unquote(parts.query) or None
    if host.endswith(".cdn.ampproject.org") and (match := _AMP_CACHE.match(parts.path)):
        return ("https://" if match[1] else "http://") + parts.path[match.end() :]
    if re.match(r"(www\.)?google\.", host) and parts.path.startswith("/amp/"):
        rest = parts.path.removeprefix("/amp/")
        return f"https://{rest.removeprefix('s/')}"
    if host.startswith("news.google.") and "/articles/" in parts.path:
        return _google_news_target(parts.path.rpartition("/")[2])
    return None


def _google_news_target(token: str) -> str | None:
    """The address in an older Google News token (base64 of a record); newer tokens hold only a number, and stay as they are."""
    try:
        record = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        return None
    found = _INNER_URL.search(record)
    return found[0].decode("ascii") if found else None
