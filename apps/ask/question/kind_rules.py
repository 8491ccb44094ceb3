"""The patterns by which the kind of a question is read off its words, one or more for each kind, in order."""

from __future__ import annotations

import re

from hippocam.models.readers.question_kind import QuestionKind

AUX = r"(?:is|are|was|were|did|do|does|has|have|had|can|could|will|would)"
_BE = r"(?:is|are|was|were|'s|has been|have been)"
_MEDIA = (
    r"(?:videos?|films?|movies?|clips?|recordings?|footage|streams?|files?|cameras?|pictures?|memory|trailer|story"
    r"|screencast|documentary)"
)
_THE = r"(?:(?:the|this|that|these|those|all|my|our|whole|entire|full) )*"
# "The video", "it", or nothing where the stream's name was taken out.
WHOLE = rf"(?:{_THE}(?:{_MEDIA}|everything|all|it|this|that|day|here))"
_SEE = r"(?:see|seen|saw|show|shows|shown|contain|contains|have|has|got|got to see|find|notice)"
_WRITTEN = (
    r"(?:signs?|slides?|screens?|texts?|titles?|captions?|subtitles?|labels?|posters?|banners?|(?:black|white)?boards?"
    r"|pages?|books?|papers?|notes?|cards?|headlines?|plates?|displays?|terminals?|logos?|letters?|credits|menus?"
    r"|stickers?|words?|writing|inscriptions?|numbers?|prices?)"
)
# What says something on a screen, and is no writing where it stands elsewhere.
_ON_SCREEN = (
    r"(?:dialogue?s?|dialogs?|windows?|buttons?|messages?|pop-?ups?|warnings?|errors?|forms?|tooltips?|questions?"
    r"|notifications?|e-?mails?|chats?|box(?:es)?|header|footer|tab|cell|field)"
)
# Who a work is by, and what they did to it: only words name them.
_ROLE = (
    r"(?:directors?|producers?|composers?|(?:screen)?writers?|authors?|narrators?|editors?|animators?|artists?"
    r"|cinematographers?|camera(?:man|woman|men)|photographers?|designers?|developers?|programmers?|publishers?"
    r"|sponsors?|distributors?|actors?|actress(?:es)?|cast|presenters?|owners?)"
)
_MAKING = (
    r"(?:directed|produced|composed|wrote|written|narrated|narrates|edited|animated|published|sponsored|funded|filmed"
    r"|illustrated|designed|developed|invented|translated|voiced|presents|presented)"
)
_WORK = (
    r"(?:music|songs?|sounds?|soundtrack|animations?|effects|story|script|screenplay|art|editing|design|costumes?"
    r"|lighting|camera work|software|slides?|talk|presentation|translation|subtitles|films?|movies?|videos?"
    r"|clips?)"
)
_EMPTY_ROOM = r"(?:empty|deserted|unoccupied)"
_UNPEOPLED = rf"nobody|no[- ]?one|{_EMPTY_ROOM}"
_PREPOSITION = r"(?:under|with|for|from|to|by|into|against|through|about|of|at|on|in)"
PEOPLE = r"(?:people|persons?|visitors?|guests?|customers?|men|women)"
_ORDINAL = (
    r"(?P<nth>second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|\d+(?:st|nd|rd|th))"
)
ASIDE = re.compile(
    r"^(?:(?:and|so|well|ok|okay|hey|hello|hi|please|now)\b[,!]*\s+)*"
    r"(?:(?:(?:can|could|would|will) you (?:please )?)?(?:tell|explain to) (?:me|us) (?!about\b|what happen)"
    r"|do you know |i (?:want|would like|'d like|need) to know |i wonder |let me know |any idea )?"
    r"(?:(?:can|could|would|will) you (?:please )?(?=summar|describe|sum |list|count|read|show"
    r"|find|give|compare))?"
    r"(?:please )?"
    r"(?:in (?:one|a|two|few|a few) (?:short )?(?:sentences?|words?|lines?),? |in short,? |briefly,? )?",
    re.IGNORECASE,
)
FILLER = re.compile(
    r"(?:[,\s]+(?:please|again|so far|in total|altogether|overall|in short|in brief|briefly|in a few words"
    r"|in a sentence|and when|and at what time))+[?!.\s]*$",
    re.IGNORECASE,
)
# What stays of a question that named nothing but the recording.
EMPTY = re.compile(
    rf"^(?:(?:in|of|on|from|about|with|at|to|by|and|or|than|between|{WHOLE}|{AUX}|there|then|here|ever|of it"
    rf"|in it|you"
    rf"|we|i|see|seen|show|past|through|in|up|did|else|camera|things?|the)\b[\s,]*)*+$",
    re.IGNORECASE,
)

# "Which visitor came last", "what room do you see first".
_NO_NOUN = rf"(?!(?:{AUX}|you|we|i|it|there|one|of)\b)"
_IN_A_ROW = (
    rf"^(?P<named>who|(?:which|what) {_NO_NOUN}[\w-]+(?: {_NO_NOUN}[\w-]+)??)"
    rf"(?: (?:{AUX}|you|we|i|it|there|be))*"
    r" (?:c[ao]mes?|arrive[sd]?|enter(?:s|ed)?|appear(?:s|ed)?|see|seen|visible|shown|left|leaves?|here|there)"
    r"(?: in| up| there| here)? "
)
# "What is the last thing that you see": whatever the picture shows then; not "the last thing that was blue".
_ANYTHING = (
    r"^(?:what|which|show(?: me)?)(?:'s| is| was)?(?: the)? {}"
    r" (?:things?|scenes?|shots?|pictures?|photos?|photographs?|images?|frames?|moments?|parts?)\b"
    r"(?! (?:that|which) (?:is|was|are|were) (?!shown|seen|visible|displayed|there|on )"
    r"| (?:with|wearing|of an?)\b)"
    r"(?P<named>)"
)
# "What comes into view first": whatever it is.
_COMES = r"^what (?:comes?|came|appears?|appeared|moves?|moved|enters?|entered|arrives?|arrived) {}(?P<named>)$"
# "Who was the last one to come": somebody. "Which room does the tour begin in": whatever is shown there.
_TO_COME = (
    r"^(?P<named>who)(?:'s| is| was)?(?: the)?(?: very)? {} (?:(?:one|person|visitor|guest) )?to"
    r" (?:come|arrive|enter|appear|show up|be seen|leave|go)\b(?: (?:in|up|away|there|here))*$"
)
_BEGINS_IN = (
    rf"^(?:in |with |on )?(?:what|which) (?!time)[\w-]+(?: [\w-]+)?? (?:does|did|do)(?: (?:{WHOLE}|(?:the |this )?"
    r"(?:\w+ )?tour|it|we))?(?P<named>) (?:{})(?: in| with| on| at)?$"
)
_AT_FIRST, _AT_LAST = r"(?:very )?(?:first|opening|initial)", r"(?:very )?(?:last|final|closing)"
# What is named there is nobody, or whatever there was.
WHOEVER = re.compile(r"^(?:which|what)\s+", re.IGNORECASE)
WHATEVER = re.compile(r"^(?:things?|scenes?|shots?|pictures?|images?|frames?|rooms?|places?|parts?|objects?|one)$")

_K = QuestionKind
_KINDS = (
    # all of it
    (
        _K.SUMMARY,
        r"^(?:(?:give|write|make|show) (?:me |us )?)?(?:an? |the )?(?:short |brief |quick |rough )?"
        r"(?:summary|overview|recap|synopsis|gist)\b(?: of)?(?P<named>.*)$",
    ),
    (
        _K.SUMMARY,
        rf"^(?:summari[sz]e|sum up|recap|describe|outline|retell)\b(?: {WHOLE}| what (?:(?:you|we|i) {_SEE}"
        rf"|\w+ {_SEE}"
        rf"|happen\w*|was going on|goes on|{WHOLE} (?:is|was) about|{WHOLE} (?:wants?|tries|tried) to"
        r" (?:tell|say|show|explain)(?: (?:us|me|you))?))*+(?P<named>)$",
    ),
    (
        _K.SUMMARY,
        r"^(?:summari[sz]e|sum up|recap|describe|outline|retell) what"
        r" (?:they|he|she|somebody|someone|(?:the )?(?:user|person|people|man|woman|speaker|narrator|camera))"
        r" (?:do|does|did|(?:is|are|was|were) doing)(?P<named>)$",
    ),
    (_K.SUMMARY, r"^(?:summari[sz]e|sum up|recap|outline)\b(?P<named>.*)$"),
    (_K.SUMMARY, rf"^what(?:'s| is| was)(?: {WHOLE})?(?: all)? about(?P<named>)$"),
    (_K.SUMMARY, rf"^what {WHOLE} (?:is|was)(?: all)? about(?P<named>)$"),
    (
        _K.SUMMARY,
        rf"^what(?:'s| is| was) the (?:topic|subject|theme|plot|message)"
        rf"(?: of(?: {WHOLE}| the (?:talk|lecture|presentation|speech)))?(?P<named>)$",
    ),
    (_K.SUMMARY, rf"^what (?:kind|sort|type) of {_MEDIA} (?:is|was) (?:it|this|that)(?P<named>)$"),
    (_K.SUMMARY, rf"^(?:tell (?:me |us )about(?: {WHOLE})?|tell (?:me |us )what happen\w*)(?P<named>)$"),
    (_K.SUMMARY, r"^how (?:was|is|were)(?: (?:the |my |our )?(?:day|night|week))?(?P<named>)$"),
    (
        _K.HAPPENED,
        r"^(?:(?:show|give) (?:me |us )?|what (?:were|was|are|is) )(?:the )?(?:highlights?"
        r"|(?:most )?(?:interesting|important"
        r"|unusual|notable) (?:moments?|things?|scenes?|parts?|events?))(?: of)?(?P<named>.*)$",
    ),
    (
        _K.LENGTH,
        rf"^how (?:long|many (?:seconds|minutes|hours)(?: long)?) (?:is|was|are|were|does|did|do)(?: {WHOLE})?"
        r"(?: in total| altogether)?(?: last| take| run| go on| have)?(?P<named>)$",
    ),
    (_K.LENGTH, rf"^how many (?:seconds|minutes|hours) (?:does|has|of) {WHOLE}(?: have| \w+)*+(?P<named>)$"),
    (_K.LENGTH, r"^what(?:'s| is| was) the (?:length|duration|running time|run ?time)\b(?P<named>)"),
    (_K.LENGTH, rf"^how much (?:{_MEDIA}|material)\b(?P<named>)"),
    (_K.LENGTH, rf"^how many hours of {_MEDIA}\b(?P<named>)"),
    (_K.LENGTH, r"^how long have (?:you|we|i) been (?:watching|recording|looking)(?P<named>)$"),
    # numbers
    (
        _K.COMPARE,
        r"^(?:in |on |at )?which (?:camera|video|stream|recording|clip|film|one|room)s? .*\b(?:most|fewest"
        r"|least|busiest|more|fewer)\b(?P<named>.*)$",
    ),
    (
        _K.COMPARE,
        r"^(?:in |on |at )?which (?:camera|video|stream|recording|clip|film|one|room)s? .*\b(?:longest"
        r"|shortest)\b(?P<named>)$",
    ),
    (_K.COLOUR, r"^(?:the )?colou?rs? of (?P<named>.+)$"),
    (_K.COLOUR, r"^what (?:is|was|are|were)(?: the)? (?P<named>.+)'s colou?rs?$"),
    (
        _K.COLOUR,
        r"^(?:of |in )?(?:what|which)(?:'s| is| was| are)?(?: the)? (?:colou?rs?|shades?)(?: of)?\b"
        r"(?: (?:is|are|was|were"
        r"|does|do|did|has))?"
        r"(?P<named>.*?)(?: (?:have|has|had))?$",
    ),
    (
        _K.ORDINAL,
        rf"^(?:when|who|where|show|how|what|find)\b.*?\b(?:for )?(?:the|my|our) {_ORDINAL}(?: time)?\b(?! half)",
    ),
    (_K.OFTEN, rf"\bhow (?:often|frequently|many times)\b(?!.*\b(?:{_UNPEOPLED})\b)|^what number of times\b"),
    (_K.LONG, rf"\bhow (?:long|much time|many (?:seconds|minutes|hours))\b(?! ago)(?!.*\b(?:{_UNPEOPLED})\b)"),
    (_K.COUNT, r"^how many\b|^(?:what(?:'s| is| was) )?the number of\b|^count\b"),
    # nobody
    (
        _K.NOBODY,
        rf"^(?:when |how long |how often |at what times? "
        rf"|since when )?(?:{_BE} (?:there )?(?:ever )?)?(?:times? )?"
        r"(?:without |with )?(?:nobody|no[- ]?one|no people|not anybody|not anyone|anybody|anyone)"
        r"(?<!\bis anybody)(?<!\bis anyone)(?<!\bwas anybody)(?<!\bwas anyone)"
        r"(?<!\bthere anybody)(?<!\bthere anyone)"
        r"(?: (?:there|here|visible|around|present))*(?P<named>.*)$",
    ),
    (
        _K.NOBODY,
        rf"^(?:when |how long |how often |how many times |at what times? )?(?:{_BE}|does|did|do)(?: (?:it|there"
        r"|(?:the|this) (?:room|place|scene|hall|office|kitchen|shop|house|garden|yard|picture|view|camera"
        r"|whole \w+)))?"
        rf" (?:ever |completely |quite |(?:be|become|get|stay|remain)s? )*{_EMPTY_ROOM}"
        r"(?: for good| at last| finally)?(?P<named>)$",
    ),
    (
        _K.SAID,
        r"^(?:what (?:are|were|is|was) )?(?:the )?(?:very )?(?:first|last) (?:words?|sentences?|things?|lines?)"
        r"(?: that)?(?: (?:is|are|was|were|you|we|he|she|they|(?:the|a) [\w-]+))?"
        r" (?:said|says?|spoken|hear|heard)\b(?P<named>)",
    ),
    (_K.FIRST, _COMES.format("first")),
    (_K.LAST, _COMES.format("last")),
    (_K.FIRST, _TO_COME.format("first")),
    (_K.LAST, _TO_COME.format("last")),
    (_K.FIRST, _BEGINS_IN.format("begin|start|open")),
    (_K.LAST, _BEGINS_IN.format("end|finish|close")),
    (_K.FIRST, _IN_A_ROW + "first$"),
    (_K.LAST, _IN_A_ROW + "last$"),
    (_K.FIRST, _ANYTHING.format(_AT_FIRST)),
    (_K.FIRST, rf"^how (?:does|did|do)(?: {WHOLE})? (?:start|begin|open)(?P<named>)$"),
    (_K.LAST, rf"^how (?:does|did|do)(?: {WHOLE})? (?:end|finish|close)(?P<named>)$"),
    (_K.LAST, _ANYTHING.format(_AT_LAST)),
    (
        _K.WHEN,
        r"^(?:(?:roughly |about |around )?(?:at|in|around|about|roughly|by)(?: about| around)? )?"
        r"(?:what|which) (?:times?|points?|moments?|scenes?|minutes?|seconds?"
        r"|time ?(?:stamp|code)s?)\b",
    ),
    (_K.WHEN, r"^how far in(?:to)?\b"),
    # looks
    (
        _K.WHAT,
        rf"^(?:what|how) (?:does|did|do) (?:{WHOLE}|(?:the |this )?(?:screen|room|place|scene))"
        r" look(?: like)?(?P<named>)$",
    ),
    (_K.OTHER, r"^(?:what|how) (?:does|did|do) (?P<named>.+?) look(?: like)?$"),
    # words
    (
        _K.SAID,
        r"^quote\b|^who says what\b|^what (?:do|did|can) (?:you|we|i) hear\b|^what (?:can|could) be heard\b",
    ),
    (
        _K.SAID,
        r"^what(?:'s| is| was| were| are| has)? (?:been |being )?(?:said|spoken|mentioned|discussed"
        r"|talked about|told)\b",
    ),
    (
        _K.WORDS,
        r"^(?:whose|(?:what|which)(?:'s| is| was| are| were)?(?: the| \w+'s| his| her| its| their)?(?: full"
        r"| first| last)?) names?\b(?: (?:is|was|are|were))?(?: (?:of|for))?(?P<named>.*)$",
    ),
    (_K.WORDS, r"^(?:what|which)(?:'s| is| was| are| were)? (?P<named>the (?:[\w-]+ )?[\w-]+'s (?:\w+ )?names?)$"),
    (_K.WORDS, r"^(?:what|who) (?:is|was|are|were) (?P<named>.+) (?:called|named|titled|entitled)$"),
    (
        _K.WORDS,
        rf"^(?:who|whom)(?:'s| is| was| are| were)?(?: the| an?| its)? "
        rf"(?P<named>(?:[\w-]+ ){{0,2}}?{_ROLE}\b.*)$",
    ),
    (_K.WORDS, rf"^(?:who|whom|which \w+) (?:has |had |have )?(?P<named>{_MAKING}\b(?! (?:on|at|in|with)\b).*)$"),
    (_K.WORDS, rf"^who (?:is|was|were) (?P<named>.*\b{_WORK} (?:made|{_MAKING}) by)$"),
    (
        _K.WORDS,
        r"^(?:who (?:owns|holds|has)|whose(?: is| was)?)"
        r" (?P<named>(?:the |this )?(?:copyright|rights|trademark)\b.*)$",
    ),
    (
        _K.WORDS,
        rf"^(?:who|which \w+) (?:has |had )?(?:made|did|does|makes|created|creates|sings?|sang|plays?|played"
        rf"|recorded) (?P<named>(?:the |this |that |its |all |\w+ )*?{_WORK}\b.*)$",
    ),
    (
        _K.WORDS,
        rf"^(?:which|what) (?P<named>{_WRITTEN} (?:mention|says?|said|read|show|contain|name|list"
        r"|explain|talk|speak)\w*\b.*)$",
    ),
    (_K.WORDS, rf"^what (?:does|did|do) .*\b(?:{_WRITTEN}|{_ON_SCREEN}|it)\b.*\b(?:say|read|tell|show)\b"),
    (_K.WORDS, r"^what (?:does|did) it (?:say|read)\b"),
    (
        _K.WORDS,
        rf"^(?:(?:{_BE} there|{_BE}(?= any)|(?:(?:do|can|could|did) (?:you|we|i|one) )?(?:see|read)) )?"
        r"(?:any|some|no)?(?:thing)? ?(?:text|words|writing|letters|written|to read)"
        r"(?: (?:on|in|at) (?P<named>.*))?$",
    ),
    (
        _K.SAID,
        r"^what (?:does|did|do|has|have|is|are|was|were) .*\b(?:say|said|saying|mention\w*|talk(?:s|ed|ing)? about"
        r"|speak\w* (?:about|of)|tell (?:us|me|about)|explain\w*)\b",
    ),
    (
        _K.WORDS,
        r"^(?:what|which)(?:'s| is| was| are| were)? (?:the |\w+ )?(?:written|legible|text|words|titles?"
        r"|captions?|subtitles?|slogan|url|web ?address|headline|number(?! of)"
        r"|letters|licen[cs]e plate|number plate|inscription)\b",
    ),
    (
        _K.WORDS,
        rf"^what (?:{_BE}(?: written| shown| displayed)?|stands?|stood|appears?|appeared) on"
        rf" (?:the |this |that )?(?:next |first |last )?{_WRITTEN}\b",
    ),
    (_K.WORDS, r"^what (?:can|could|do|did) (?:be|you|we|i|one) read\b|^read\b(?! a| any)"),
    # which of several
    (_K.FIRST, r"\bfirst (?:see|seen|appear|shown|visible|come|came)\b|\bthe first time\b|\bfirst$"),
    (
        _K.FIRST,
        r"^(?:when|who|where|show|how|what|find|at what time)\b.*?\b(?:the|my|our) (?P<nth>first) (?!one\b)\w",
    ),
    (_K.LAST, r"\blast (?:see|seen|appear|shown|visible|come|came)\b|\bthe last time\b|\blast$|^how long ago\b"),
    (
        _K.LAST,
        r"^(?:when|who|where|show|how|what|find|at what time)\b.*?\b(?:the|my|our) (?P<nth>last) (?!one\b)\w",
    ),
    # who, where, what
    (_K.WHO, rf"^(?:who|whom|which {PEOPLE}|what {PEOPLE})(?:'s)?\b(?P<named>.*)$"),
    (
        _K.WHERE,
        r"^(?:in |on |at )?(?:where|which (?:place|room|camera|stream|video|film|clip|recording|side|corner)"
        r"|(?:which|what) (?:part|half|area) of the (?:picture|image|frame|screen))\b",
    ),
    (
        _K.HAPPENED,
        r"^(?:what|anything|something)(?:'s| is| was| has| had| have| are| were)?(?: been)?"
        r" (?:happen(?:s|ed|ing)?|going on|goes on|went on|takes? place|took place|chang(?:e|es|ed|ing)|new"
        r"|unusual|special"
        r"|odd|strange|interesting|different)\b(?P<named>.*)$",
    ),
    (_K.HAPPENED, r"^what did (?:i|we) miss\b(?P<named>.*)$"),
    (
        _K.HAPPENED,
        rf"^{AUX}(?: there)?(?: ever)? (?:anything|something)(?: been)? (?:happen(?:s|ed|ing)?|going on"
        rf"|unusual|special|odd"
        r"|strange|interesting|new|chang(?:e|ed))\b(?P<named>.*)$",
    ),
    (
        _K.WHAT,
        r"^(?:(?:give me |make |show me )?(?:an? )?list(?: of)?|name|enumerate)\b(?: everything| all| the)*+"
        r"(?: objects?| things?)?(?: visible)?(?P<named>.*?)(?: (?:that )?(?:you|we) (?:saw"
        r"|see))?$",
    ),
    (
        _K.WHAT,
        r"^(?:what|which)(?: (?:things?|objects?|items?|kinds? of (?:things?|objects?)))?"
        rf"(?:'s|(?: (?:{AUX}|there|to|be|been|{_SEE}|visible|appears?|you|we|i|one|{WHOLE})\b)++)?(?: (?:in|on"
        rf"|of) it)?(?P<named>)$",
    ),
    (
        _K.WHAT,
        r"^what (?:can|could|do|did) (?:you|we|i|one) see"
        r"(?P<named> (?:on|in|at|under|behind|beside|near|inside) .+)$",
    ),
    (
        _K.WHAT,
        rf"^(?:what|which)(?:'s)?(?: (?:things?|objects?|items?))?(?: {AUX})?(?: there)?(?: be)?"
        r"(?: (?:stands?|stood|lies|lay|sits|sat|hangs|hung|lying|standing|hanging|seen|visible))?"
        r"(?P<named> (?:on|in|at|under|behind|beside|next to|near|in front of|above|below|between|inside"
        r"|outside|by|from|through"
        r"|against|around)\b.+)$",
    ),
    (_K.OTHER, r"^how \w+ (?:is|are|was|were)(?P<named>\b.*)$"),
    (_K.OTHER, rf"^{_PREPOSITION} (?:what|which|whom)\b(?: direction| side| way)?(?P<named>.*)$"),
    (
        _K.OTHER,
        r"^(?:what|which|why|how)(?:'s)?\b(?: (?:kinds?|sorts?|types?) of)?(?: way| direction)?(?P<named>.*)$",
    ),
    (_K.WHETHER, rf"^(?:whether|if) (?:there {_BE} )?(?P<named>.*)$"),
    (_K.WHETHER, r"^any(?: signs? of)?(?P<named> .*)$"),
    (_K.WHETHER, rf"^{AUX}\b"),
)
RULES = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _KINDS)
