"""Pages that are no article although they came with status 200: not found, blocked, behind a paywall, a cookie wall, a video.

A phrase alone proves nothing, for articles are written about paywalls, captchas and 404 too: it counts in the title, or where the
page has hardly any text besides.
"""

from __future__ import annotations

import re

from monitor.domain import NoArticle, Unread

# Words of a page up to which what it says of itself is believed. Error and challenge pages have up to 150 with their footer.
PAGE_NOTICE = 200
# Words up to which a text is a teaser, if the page says that it is not free: paywalls show one to three paragraphs.
TEASER = 150
SEARCHED = 6_000  # characters in which phrases are looked for; they take about 10 µs a character

_GONE_TITLE = r"""
(error\ |fehler\ )?(404|410)\b.{0,60} | .{0,60}\b(404|410)([\ :–|-]+(error|not\ found|page|seite))?
| .{0,40}(page|article|story|content|file|document|url|resource)\ (was\ |could\ |is\ |you.{1,30})?(not\ found
    |not\ be\ found|no\ longer\ (available|exists)|does\ ?n[o’']t\ exist|unavailable).{0,60} | not\ found.{0,40}
| (sorry|oops)\W.{0,60}(not|can['’]t|couldn['’]t).{0,20}(find|found|exist).{0,40}
| .{0,40}(seite|artikel|inhalt|dokument).{0,20}(nicht\ (gefunden|verfügbar|vorhanden)|existiert\ nicht|nicht\ mehr).{0,60}
| .{0,40}(page|article|contenu)\ (non\ trouvée?|introuvable|inexistante?|n['’](existe|est)\ (pas|plus).{0,20}).{0,60}
| .{0,40}(página|contenido|artículo|nota)\ (no\ (encontrad[ao]|disponible|existe)).{0,60}
| .{0,40}página\ não\ (encontrada|existe).{0,60}
| .{0,40}(pagina|articolo|contenuto)\ (non\ (trovat[ao]|disponibile|esiste)).{0,60}
| .{0,40}(страница|материал|документ)\ не\ найден[ао]?.{0,60}
| .{0,30}(页面|網頁|网页|頁面|文章|内容|信息|文件|您访问的.{0,10})(没有找到|未找到|找不到|不存在|不存在或已(被)?删除
    |已(被)?删除|已下线|已失效|無法找到).{0,40}
| .{0,30}(ページ|記事|お探しのページ).{0,12}(見つかりません|見つかりませんでした|存在しません|ありません|削除され).{0,40}
| .{0,30}(페이지|기사|요청하신.{0,12})(를|을|가|이)?\s?(찾을\ 수\ 없|존재하지\ 않|삭제).{0,40}
"""
_GONE_TEXT = r"""
(page|article|story)\ (you\ (are|were)\ looking\ for|you\ requested|you['’]re\ looking\ for).{0,60}(not|n['’]t|moved
    |removed|deleted|no\ longer) | (has|have)\ been\ (removed|deleted|taken\ down) | no\ longer\ (available|exists?)
| (die|der)\ (gesuchte|aufgerufene|angeforderte).{0,40}nicht | la\ page\ (que\ vous|demandée).{0,60}(n['’]|introuvable)
| la\ página\ que\ (busca|estás|solicit).{0,60}no\b | страниц[аы].{0,40}не\ (найдена|существует)
| (您|你)(访问|查看|浏览|要找|所访问|请求)的(页面|网页|内容|文章|信息).{0,20}(不存在|删除|找不到|失效) | お探しのページ
| ご指定のページ | 요청하신\ 페이지 | 삭제된\ 기사
"""
_BLOCKED_TITLE = r"""
just\ a\ moment\W* | attention\ required\W.{0,40} | (please\ wait|one\ moment\ please)\W{0,3}.{0,30}
| access\ (to\ this\ page\ has\ been\ )?denied.{0,40}
| .{0,40}(are\ you\ (a\ )?(human|robot)|verifying\ you\ are|human\ verification|security\ (check|verification)|bot\ (check|verification)
    |captcha|verify\ (you|that\ you)\ are).{0,40} | (403\W*)?forbidden | robot\ check | pardon\ our\ interruption.{0,20}
| checking\ your\ browser.{0,40} | ddos-guard | you\ have\ been\ blocked.{0,30}
| .{0,20}(安全验证|人机验证|访问验证|滑动验证|验证码|百度安全验证|访问受限|访问被拒绝).{0,20}
| .{0,20}(ロボットではない|アクセスが拒否).{0,20} | проверка\ (браузера|безопасности).{0,40}
| доступ\ (запрещ[её]н|ограничен).{0,40} | un\ momento\W* | un\ instant\W* | nur\ einen\ moment\W* | bitte\ warten\W*
| um\ momento\W*
"""
_BLOCKED_TEXT = r"""
(verify|confirm|prove)\ (that\ )?you(['’]re|\ are)\ (a\ |not\ a\ )?(human|robot|bot)
| checking\ (if\ the\ site\ connection|your\ browser) | enable\ javascript\ and\ cookies\ to\ continue
| (performance|ddos)\ (&\ |and\ )?(security|protection)\ by | cloudflare\ ray\ id | ray\ id: | unusual\ traffic
| request\ unsuccessful | incapsula\ incident | access\ denied | you\ don['’]t\ have\ permission\ to\ access
| pressing\ and\ holding | complete\ the\ (captcha|security\ check) | your\ (ip|access|request).{0,30}(blocked|denied)
| 请完成(安全|人机)?验证 | 拖动.{0,6}滑块 | 访问过于频繁 | 您的(访问|请求).{0,10}(阻断|拦截|异常)
| подтвердите,?\ что\ (вы|запросы) | アクセスを(拒否|制限) | 비정상적인\ 접근 | 자동입력\ 방지
"""
_PAYWALL = r"""
(this|the\ full)\ (article|content|story|post|text)\ is\ (for|only|available|exclusive|reserved
    |restricted).{0,50}(subscriber|member|paid|premium)
| (subscribe|sign\ up|register|log\ in|become\ a\ (member|subscriber))\ (now\ )?(to|and)
    \ (continue\ reading|keep\ reading|read\ (on|more|this|the\ (full|rest|whole))|unlock
    |get\ (full|unlimited)|access\ (this|all|unlimited|the\ full))
| (to\ )?continue\ reading,?\ (this|please|subscribe|log) | already\ a\ (subscriber|member)\W{0,3}(\?|log|sign)
| (for|exclusive\ to)\ (our\ )?(subscribers|members)\ only | subscriber[- ](only|exclusive)
| unlock\ (this|the\ full)\ (article|story) | free\ trial.{0,40}(cancel|subscri)
| you['’]ve\ (reached|read|used).{0,40}(free|limit) | (weiterlesen|jetzt\ lesen|lesen\ sie\ weiter)\ mit
| (mit|im)\ .{0,20}(abo|abonnement)\ (weiter)?lesen | (nur|exklusiv)\ für\ (abonnent|registrierte)
| dieser\ (artikel|inhalt|beitrag)\ ist\ (nur|kostenpflichtig|exklusiv) | (bereits|schon)\ (abonnent|registriert|abonniert)
| um\ (diesen\ artikel|den\ ganzen\ artikel|weiterzulesen).{0,40}(\babo|registrieren|anmelden) | (cet\ )?article\ (est\ )?réservé\ (à|aux)
| réservé\ (à\ nos|aux)\ abonn | (la\ suite|lire\ la\ suite).{0,40}abonn | déjà\ abonné | abonnez-vous\ pour
| il\ vous\ reste\ [\d.,]+\ ?% | (contenido|artículo|noticia)\ (exclusiv[oa]|solo)\ (para|de)\ (suscriptores|socios)
| suscr[ií]b(e|a)te\ para | ¿ya\ eres\ (suscriptor|socio) | para\ (seguir|continuar)\ leyendo
| (articolo|contenuto)\ (riservato|esclusivo|per)\ (agli\ |solo\ )?(abbonati|per) | abbonati\ (per|a) | sei\ già\ abbonato
| per\ continuare\ a\ leggere
| (conteúdo|artigo|matéria)\ (exclusiv[oa]|restrit[oa]|reservad[oa])\ (para|a|aos)\ .{0,12}assinantes
| assine\ (para|e\ tenha|já) | já\ é\ assinante | para\ continuar\ (a\ ler|lendo)
| (материал|статья|текст)\ доступ(ен|на)\ (только\ )?(по\ подписке|подписчикам) | (оформите|купите)\ подписку
| чтобы\ (дочитать|прочитать\ (статью|материал|полност)|продолжить\ чтение) | только\ (для|по)\ подпис
| (开通|购买|加入|成为|仅限|限).{0,6}(会员|订阅|付费|VIP).{0,10}(阅读|查看|解锁|可读|全文)
| (付费|会员|订阅)(内容|文章|专享|后(可)?(继续)?阅读)
| (登录|登陆|订阅|付费|购买)(后|即可|以)?(继续)?(阅读|查看|解锁)(全文|更多|剩余)? | 剩余\s?\d+\s?%
| (この|本)記事は(会員|有料|無料会員|プレミアム|購読者) | (会員|有料会員|購読者)(限定|専用)(の)?(記事|コンテンツ)?
| (続きは|続きを|全文は|残り).{0,20}(会員|有料|登録|ログイン|購読|文字) | 有料会員になると | 会員登録(して|すると|で)
| (구독자?|유료|회원|멤버십)\s?(회원|전용|구독자|가입).{0,12}(기사|콘텐츠|이용|읽|볼)
| (로그인|구독|회원가입).{0,10}(후|하면|하시면|하고).{0,12}(읽|볼|이용|계속) | 유료\s?(기사|콘텐츠)
| 프리미엄\s?(기사|콘텐츠)
"""
_COOKIES = r"""
(we|our\ (site|partners)|this\ (web)?site)\ (and\ our\ .{0,30})?(use|store)s?\ .{0,40}cookies
| (manage|accept|reject|cookie)\ (your\ )?(cookies|consent|preferences|all) | before\ you\ continue
| (wir|diese\ website)\ (verwende[nt]|nutz(en|t))\ .{0,30}cookies | mit\ werbung\ (und\ tracking|weiterlesen) | einwilligung
| zustimmen\ und\ weiter | pur-abo | (nous|ce\ site)\ utilis(ons|e)\ .{0,30}cookies | accepter\ (et|les)
| (utilizamos|este\ sitio).{0,20}cookies | utilizziamo.{0,20}cookie | мы\ используем.{0,20}(cookie|куки) | 쿠키를\ 사용
| クッキーを使用 | 使用\s?cookies?
"""


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(f"(?:{pattern})", re.I | re.X | re.S)


_GONE_TITLE_RE, _GONE_TEXT_RE = _compiled(_GONE_TITLE), _compiled(_GONE_TEXT)
_BLOCKED_TITLE_RE, _BLOCKED_TEXT_RE = _compiled(_BLOCKED_TITLE), _compiled(_BLOCKED_TEXT)
_PAYWALL_RE, _COOKIES_RE = _compiled(_PAYWALL), _compiled(_COOKIES)
_ABOUT_COOKIES = re.compile(
    r"cookie|consent|einwillig|zustimm|datenschutz|privacy|tracking|consentement|consentimiento|куки|クッキー|쿠키|隐私", re.I
)


def refused(titles: tuple[str, ...], visible: str, visible_size: float) -> NoArticle | None:
    """BLOCKED or GONE, where the page says so: in its title or heading, or in what little text it has."""
    short = visible_size <= PAGE_NOTICE
    text = visible[:SEARCHED] if short else ""
    for pattern, titled, reason, message in (
        (_BLOCKED_TEXT_RE, _BLOCKED_TITLE_RE, Unread.BLOCKED, "the page asks for proof that a person reads it"),
        (_GONE_TEXT_RE, _GONE_TITLE_RE, Unread.GONE, "the page says that it is not there"),
    ):
        named = any(titled.fullmatch(title.strip()) for title in titles if len(title) <= 160)
        if short and (named or pattern.search(text)):
            return NoArticle(reason, message, transient=reason is Unread.BLOCKED)
    return None


def withheld(free: bool | None, size: float, near: str) -> NoArticle | None:
    """PAYWALL, where the page shows a teaser of `size` words only: it says that it is not free, or asks for a subscription.

    `near`: the teaser and what the page shows right after it, since headers ask everybody to subscribe.
    """
    if size > TEASER:
        return None
    if free is False:
        return NoArticle(Unread.PAYWALL, "the page says that its text is not free, and shows a teaser")
    if _PAYWALL_RE.search(near[:SEARCHED]):
        return NoArticle(Unread.PAYWALL, "the page shows a teaser and asks for a subscription")
    return None


def asks_consent(text: str, size: float) -> bool:
    """Whether a text of `size` words is a question about cookies: it asks, and speaks of little else."""
    return _COOKIES_RE.search(text[:SEARCHED]) is not None and len(_ABOUT_COOKIES.findall(text)) >= max(2.0, size / 30)
