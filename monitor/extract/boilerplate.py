"""Lines that pages put around and between their paragraphs: sharing, subscribing, rights, bylines, related articles.

Only whole short lines are dropped, never a part of a paragraph: a sentence that speaks of subscriptions stays.
"""

from __future__ import annotations

import re

from monitor.extract.paragraphs import size_of

# Words of a line that is dropped for how it begins; longer ones are sentences about the same things.
SHORT_LINE = 12
# Words of a notice of rights, consent or subscription that is dropped.
NOTICE = 60

# How lines begin that are about the page and not about the news.
_OPENINGS = r"""
share\ (this|on|via|with|article|story|to)\b | follow\ (us|me|the\ author)\b
| follow\ .{2,40}\ on\ (google|twitter|x|facebook|instagram|linkedin|whatsapp)
| (please\ )?(sign\ up|subscribe|register)(\ (now|today|here|for|to|on|via|free)\b|$)
| already\ (a\ )?(subscriber|registered|have) | (log|sign)\ in\b | create\ (a\ free\ |an\ )?account
| read\ (more|next|full|the\ full|our)\b | also\ read\b | read\ also\b | see\ also\b | (click|tap)\ here\b
| (get|download)\ (our|the)\ app\b | listen\ to\ this\ (article|story) | print\ (this|article)\b
| (leave|post|add|write)\ a\ (comment|reply) | you\ (may|might)\ (also|like)\b | most\ (read|popular|viewed|shared)\b
| more\ (stories|news|articles|coverage|like\ this|from|on)\b | recommended\b | trending\b | editor[s'’]*\ picks?
| accept\ (all\ )?cookies | cookie\ (policy|settings|preferences) | privacy\ policy
| terms\ (of|and)\ (use|service|conditions) | skip\ to\b | back\ to\ top | advertisement | advertise\ with | sponsored\b
| (photo|image|picture)s?(\ credits?)?\s*: | (photo|image|picture)s?\ by\b | (file|stock)\ (photo|picture|image)
| (published|posted|updated|last\ (updated|modified))\s*(on|at|:)?\s*[\w,. ]*\d | filed\ under\b | tags?\s*: | topics?\s*:
| (\d+\ )?comments?(\s*\(\d+\))?$ | \d+\ min(ute)?s?\ (read|ago)\b | copy\ (the\ )?link | like\ us\ on
| join\ (us\ on|the\ conversation|our\ (newsletter|channel|community|whatsapp)) | (for\ )?more\ information,?\ (visit|contact)
| view\ (all|more|comments|gallery) | (next|previous)\ (article|story|post)\b | loading | close$ | menu$ | play$
| getty\ images | source\s*: | by$
| (artikel\ )?teilen(\ sie|\ auf)?$ | artikel\ (teilen|drucken|merken|anhören|vorlesen) | folgen\ sie\ (uns|.{2,20}\ auf)
| (jetzt\ )?(abonnieren|anmelden|registrieren)\b | (lesen|sehen|hören)\ sie\ (auch|hier|mehr|dazu)\b
| mehr\ (zum\ thema|dazu|lesen|aus|von)\b | auch\ interessant | das\ könnte\ sie\ (auch\ )?interessieren | weiterlesen
| (zur|zum)\ (startseite|übersicht)$ | anzeige$ | werbung$ | (foto|bild|grafik)(er|s)?\s*: | quellen?\s*: | stand\s*:
| externer\ inhalt | empfohlener\ (externer|redaktioneller)\ inhalt | newsletter\b | (\d+\ )?kommentare?(\s*\(\d+\))?$
| datenschutz | impressum | lesezeit | schlagw[oö]rte | meistgelesen | drucken$ | merken$ | autor(in)?\s*:
| partager\b.{0,30}$ | suivez-nous | abonnez-vous | (à\ )?lire\ (aussi|également|la\ suite|plus)\b | voir\ aussi | s['’]abonner
| sur\ le\ même\ (sujet|thème) | publicité$ | (crédit|photo)s?\s*: | article\ réservé | la\ suite\ après | imprimer$
| temps\ de\ lecture | lecture\ \d+
| compartir(\ en)?\b.{0,30}$ | comparte\b | síguenos | suscr[ií]b | (lea|lee|leer|ver|vea)\ (también|más)\b
| te\ puede\ interesar | más\ (información|noticias|sobre\ .{2,30})$ | publicidad$ | (foto|imagen)\s*:
| noticias\ relacionadas | archivado\ en | imprimir$
| condividi | seguici | iscriviti | abbonati | leggi\ (anche|tutto|di\ più)\b | (potrebbe|ti\ potrebbe)\ interessar
| pubblicità$ | tempo\ di\ lettura
| compartilh(e|ar)\b | siga(-nos|\ o|\ a)\b | assine\b | inscreva-se | (leia|veja|saiba)\ (também|mais)\b | publicidade$
| notícias\ relacionadas | continua\ (após|depois)
| поделиться | подпис(ывайтесь|аться|ка)\b | читайте\ (также|нас|еще|ещё)\b | (смотрите|см\.)\ также | по\ теме
| материалы\ по\ теме | реклама\b | фото\s*: | источник\s*: | комментари[ий](\s*\(\d+\))?$ | теги\s*: | ранее\ по\ теме
| автор\s*:
| (责任编辑|責任編輯|责编|編輯|编辑|校对|审核|监制|主编|记者|本报记者|作者|文章?来源|来源|稿源|原标题|原題|图片?来源|摄影|文字|编审
    |二审|三审|初审|值班编委|供稿|发布时间|发表时间|发布日期|时间|日期|浏览次数|点击数?|阅读)\s*[:：/／|丨]
| (分享到?|转发|点赞|收藏|打印|我要评论|发表评论|举报|投诉|发送给|关闭)([:：\s】]|至|到|$|本|窗|朋)
| (相关|推荐|延伸|更多|热门|最新|精彩)(阅读|新闻|报道|文章|链接|推荐|资讯|专题|内容)?\s*[:：>》]*$ | 猜你喜欢 | 扫(一扫|码|描)
| 关注(我们|微信|该?公众号|官方微) | 微信(扫|公众) | 打开.{0,10}(APP|客户端) | 转载请 | 本文(来源|来自|转自|系|为).{0,30}$
| (上|下)一(篇|页|条) | 返回(首页|顶部|搜狐|列表|上一页) | 字号 | 字体[:：] | (加载|查看)(更多|全部|全文) | 阅读(全文|原文)
| 点击(查看|进入|图片|下载) | 当前位置 | 您(的|现在的)?位置 | 首页\s*[>›»＞] | 共\d+页 | 关键词\s*[:：>》] | 目前没有跟贴
| 更多猛料 | (本站)?郑重声明 | 知道了$ | 网络文化经营许可 | 展开(全文|更多|阅读) | (本版|专题)?(热门|推荐)$
| シェア(する|$) | ツイート | (関連|おすすめ|人気|注目|最新|新着|こちらも)(記事|ニュース|リンク|キーワード|の記事)?[:：]?$
| あわせて読みたい | (続きを|全文を|もっと)(読む|見る) | この記事(は|を)(会員|有料|シェア|印刷|保存|共有)
| (会員|ログイン|有料|無料)(登録|限定|会員|する) | 広告$ | \[?PR\]?$ | (写真|画像|提供|撮影)\s*[:：=＝] | 印刷(する)?$
| 記事をスクラップ | (初トク)?キャンペーン | 残り\d+文字
| 공유(하기)? | (관련|추천|인기|많이\ 본)\s?(기사|뉴스) | (구독|로그인|회원가입)(하기)?$ | 기자\s?구독 | 광고$ | 댓글 | 좋아요
| (사진|자료|출처)\s*[=:] | 글자\s?크기 | 기사\s?(보내기|제보|입력|수정) | (입력|수정|등록)\s*[:：]?\s*\d{4}
| 네이버\s?(채널|구독|에서) | 카카오톡\s?제보 | [가-힣]{2,4}\s?기자(\s*[\w.+-]+@[\w.-]+)?$
| ©|\(c\)\s | https?:// | www\. | [\w.+-]+@[\w-]+\.[\w.]+\s*$ | pic\.twitter\.com
"""
# How longer notices begin.
_NOTICES = r"""
all\ rights\ reserved | copyright\b
| this\ (article|story|post|material)\ (was|is|has\ been|may\ not|originally|first)\ (be\ )?(originally
\ |first\ )?(published|appeared|provided|adapted|syndicated|republished) | (this|our)\ (web)?site\ uses\ cookies
| we\ use\ cookies | by\ (subscribing|signing\ up|clicking)\b | sign\ up\ (for|to)\ (our|the|breaking)\b
| subscribe\ to\ (our|the)\b | you\ must\ (confirm|be\ logged) | please\ (log|logout|enable|disable|turn)\b
| follow\ .{2,40}\ on\ (google|twitter|x|facebook|instagram)\b | download\ (our|the)\ app | join\ our\b
| alle\ rechte\ vorbehalten | deine?\ privatsphäre | ihre\ privatsphäre | mit\ ihrer\ zustimmung
| an\ dieser\ stelle\ finden\ sie | ich\ bin\ damit\ einverstanden | melden\ sie\ sich\ (hier|jetzt|für|zu) | abonnieren\ sie
| tous\ droits\ réservés | inscrivez-vous | en\ vous\ inscrivant | todos\ los\ derechos | suscr[ií]bete
| recibe\ (gratis|en\ tu) | tutti\ i\ diritti | riproduzione\ riservata | todos\ os\ direitos | все\ права\ защищены
| подписывайтесь\ на | при\ (копировании|использовании|перепечатке)\ материалов
| [①-⑩（(【\s]*(版权|著作权|免责|侵权|反侵权)(所有|声明|申明|说明|公告) | 未经.{0,12}(授权|许可|允许|同意) | 声明\s*[:：]
| 特别声明 | [①-⑩\s]*凡(本网|本站|注明|来源) | 本(网|站|报|平台).{0,12}(版权|转载|观点|立场)
| 以上(内容|文章).{0,20}(观点|立场|版权) | 如(有|涉).{0,10}(侵权|版权) | 無断(転載|複製|使用) | 著作権 | 有料会員になると
| 会員登録(すると|で|が) | 紙の新聞の定期購読 | 저작권자 | 무단\s?(전재|복제|배포) | ⓒ | ©
"""
# Dates, addresses, credits and signs, as whole lines.
_WHOLE = r"""

(\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}\s*[-./年]\s*\d{1,2}\s*[-./月]\s*\d{1,2}\s*日?)(\D{0,12}\d{1,2}[:：时時]\s?\d{2}.{0,40})?
| .{0,60}(getty\ images|[/／]\s?(afp|reuters|ap|dpa|epa|shutterstock|imago|picture\ alliance)\)?)
| .{0,60}(무단\s?전재|재배포\s?금지|無断転載|不得转载|all\ rights\ reserved).{0,60} | [\w.+-]+@[\w-]+\.[\w.]+ | [\W_]*
| (來源|来源|作者|编辑|記者|记者|责编|采写|撰文).{0,3}[:：].{0,30}
"""
# Headings of links to other articles.
_RELATED = r"""
related(\ (articles?|stories|news|content|posts?|topics|coverage|links))? | read\ (more|next|also)
| more\ (stories|news|articles|from\ .{2,40}|on\ .{2,40}) | (you\ may|you\ might)\ also\ like
| recommended(\ (for\ you|articles|stories))? | most\ (read|popular|viewed) | latest(\ (news|articles|stories|posts))?
| popular(\ (articles|posts|stories))? | trending(\ now)? | what\ to\ read\ next | see\ also | further\ reading
| keep\ reading | mehr\ zum\ thema | auch\ interessant | das\ könnte\ sie\ (auch\ )?interessieren
| (weitere|ähnliche|verwandte)\ (artikel|themen|beiträge|meldungen|nachrichten)(\ .{2,40})? | ähnliche | meistgelesen
| lesen\ sie\ auch | zum\ thema | à\ lire\ (aussi|également) | lire\ aussi | sur\ le\ même\ (sujet|thème)
| articles\ (liés|similaires|associés) | les\ plus\ lus | dans\ la\ même\ rubrique | noticias\ relacionadas
| te\ puede\ interesar | lo\ más\ (leído|visto) | lea\ también | artículos\ relacionados | más\ (noticias|sobre\ .{2,40})
| leggi\ anche | articoli\ correlati | potrebbe\ interessarti | i\ più\ letti | ultime\ notizie | leia\ (também|mais)
| notícias\ relacionadas | mais\ (lidas|notícias) | veja\ também | читайте\ также | по\ теме | материалы\ по\ теме
| другие\ (новости|материалы) | (самое\ )?популярное | смотрите\ также | новости\ по\ теме | последние\ новости
| (相关|推荐|延伸|更多|热门|最新|精彩)(阅读|新闻|报道|文章|链接|推荐|资讯|专题|内容) | 猜你喜欢 | 大家都在看
| 今\s?日\s?推\s?荐 | 新闻排行榜? | 相關(新聞|報導|文章) | 延伸閱讀 | 熱門(新聞|文章)
| (関連|おすすめ|人気|注目|最新|新着)(記事|ニュース|リンク|の記事) | あわせて読みたい | アクセスランキング
| (관련|추천|인기|많이\ 본|주요)\s?(기사|뉴스)
"""
_SIGNS = r"[\s\W]{0,8}"
_OPENING = re.compile(_SIGNS + f"(?:{_OPENINGS})", re.I | re.X)
_NOTICE = re.compile(_SIGNS + f"(?:{_NOTICES})", re.I | re.X)
_WHOLE_LINE = re.compile(_SIGNS + f"(?:{_WHOLE})", re.I | re.X)
_RELATED_HEAD = re.compile(_SIGNS + f"(?:{_RELATED})" + _SIGNS, re.I | re.X)


def is_boilerplate(line: str) -> bool:
    """Whether a line is about the page and not of the article."""
    if len(line) > 600:
        return False
    size = size_of(line)
    return (
        (size <= SHORT_LINE and _OPENING.match(line) is not None)
        or (size <= NOTICE and _NOTICE.match(line) is not None)
        or (len(line) <= 160 and _WHOLE_LINE.fullmatch(line) is not None)
    )


def heads_related(line: str) -> bool:
    """Whether a line is the heading of links to other articles."""
    return len(line) <= 80 and _RELATED_HEAD.fullmatch(line) is not None
