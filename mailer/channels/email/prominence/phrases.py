"""Words that say plainly how to leave, and words that make leaving hard, in the languages that footers are written in.
"""

import re
import unicodedata

_LEAVING = re.compile(
    r"un-?subscribe|opt[ -]?(?:me )?out|leave (?:this|the|our|all|these) \w+|leave \w+ list"
    r"|stop (?:\w+ ){0,3}(?:e-?mails?|mails?|messages?|news|newsletters?|offers|letters|getting|receiving|sending)"
    r"|stop getting|stop receiving|(?:no longer|do not|don't) (?:want|wish|get|receive|send|write|mail)"
    r"|cancel (?:my|your|this|the) subscription|(?:take|remove) me (?:off|from)|sign (?:me )?off (?:this|the|from)"
    r"|abmelde|abbestell|austragen|désabonn|désinscri|no recibir|darse? de baja|cancelar la suscripci|disiscri"
    r"|annulla l'iscrizione|afmeld|uitschrijv|avregistrer|avprenumer|avsluta|avmeld|zrušit odběr|odhlásit|wypis"
    r"|отписаться|cancelar (?:a )?(?:subscrição|inscrição|assinatura)|peru(?:uta|a) tilau|leiratkoz|dezabon"
    r"|配信停止|退订|退訂|取消订阅|수신 ?거부|구독 ?취소|إلغاء الاشتراك|הסרה מרשימת",
    re.IGNORECASE)

_GUILT = re.compile(
    r"sorry (?:to|that you) (?:see you |want to |are )?(?:go|leav)|before you (?:leave us|unsub)"
    r"|sure (?:that )?you (?:really )?want to (?:leave|go|stop|unsub)"
    r"|(?:we|we'll|we will|everyone will) (?:really )?miss you"
    r"|if you (?:leave (?:us|now|the|this|our)|unsub\w*|opt out)|(?:don't|do not|never) (?:leave us|unsubscribe)"
    r"|please (?:don't|do not) (?:go\b|leave)|breaks? (?:our|my) hearts?|hurts us|makes us (?:sad|cry)"
    r"|(?:log|sign) ?in (?:first|to unsub|to leave)|(?:people|those) who (?:leave (?:us|our|the list)|unsub)"
    r"|(?:call|phone|ring|write to) us (?:first|to (?:leave|unsub|cancel|stop))|last chance to stay"
    r"|tell us why you|never be able to (?:come back|return|rejoin)",
    re.IGNORECASE)
_DEMAND = re.compile(
    r"you(?:'ll| will|'d| would) (?:lose|forfeit|give up|regret|miss)|are you (?:really )?sure|if you (?:go|leave|stop)"
    r"|(?:give|state|choose|tell us) (?:us )?(?:a|your|the|why) ?(?:reason)?|only (?:after|once|if) you"
    r"|think (?:twice|again)"
    r"|(?:must|need to|have to) (?:first|log|sign|call|phone|write|confirm|answer|explain|pay)|before you (?:go|leave)"
    r"|let(?:ting)? (?:us|the team|everyone) down|leav(?:e|ing) (?:us )?behind",
    re.IGNORECASE)


def normal(words: str) -> str:
    """Words as they are read: one space between them, nothing that cannot be seen."""
    seen = "".join(letter for letter in unicodedata.normalize("NFKC", words).replace("’", "'")
                   if unicodedata.category(letter) != "Cf")
    return re.sub(r"\s+", " ", seen).strip()


def says_leave(words: str) -> bool:
    """Whether it says plainly that one leaves."""
    return bool(_LEAVING.search(normal(words)))


def argues(words: str) -> bool:
    """Whether it argues with somebody who wants to leave."""
    return bool(_GUILT.search(normal(words)))


def demands(words: str) -> bool:
    """Whether words that stand with a way out ask something first, or say what it will cost."""
    return bool(_DEMAND.search(normal(words)))
