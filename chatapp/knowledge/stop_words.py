"""Words that say nothing about what a text is about, by language."""

from __future__ import annotations

_LISTS = {
    "en": """
a about after again all also am an and any are aren as at be because been before being but by can
could couldn d did didn do does doesn doing don else ever for from had has hasn have haven having
he hello her here hers hey hi him his how i if im in into is isn it its itself ive just know let
ll m may maybe me might more most my need no nor not of off on once only or other our ours out over
own please re s same say see shall she should shouldn so some such t tell than thank thanks that
the their theirs them then there these they this those through to too under until up us ve very
want was wasn we were weren what when where whether which while who whom whose why will with won
would wouldn yes yet you your yours
""",
    "de": """
aber alle allem allen aller alles als also am an auch auf aus bei bekomme bin bis bist bitte da
damit dann das dass dein deine dem den denn der des dich die dies diese diesem diesen dieser dieses
dir doch dort du durch ein eine einem einen einer eines er es etwas euch euer für gibt habe haben
hallo hat hatte hier ich ihm ihn ihnen ihr ihre ihrem ihren im in ins ist ja kann kannst kein keine
keinen können könnte man mein meine meinem meinen meiner mich mir mit muss möchte nach nein nicht
noch nun nur ob oder ohne sehr sein seine sich sie sind so soll sollte um und uns unser unsere
unter viel vom von vor wann warum was weil welche welcher welches wem wen wenn wer werden wie will
wird wir wo würde zu zum zur über
""",
    "fr": """
ai alors au aux avec avez avoir avons bonjour c ce cela ces cet cette comme comment d dans de des
dois donc du elle elles en est et eu être fait faire faut ici il ils j je l la le les leur leurs
lui là m ma mais me mes moi mon même n ne nos notre nous on ont ou où par pas peut peux plus pour
pourquoi puis qu quand que quel quelle quelles quels qui quoi s sa sans se sera ses si son sont
sur t ta te tes toi ton tous tout toute toutes tu un une vos votre vous y à ça été êtes
""",
    "es": """
a al algo ante aquí así aún como con cual cuál cuando cuándo cuánto cuánta cómo de del desde donde
dónde el ella ellas ellos en entre era es esa ese eso esta estas este esto estos está están estoy
fue ha hace hacer han hasta hay he hola la las le les lo los me mi mis mucho muy más ni no nos
nosotros o os para pero poder por porque por puede puedo que quien quién qué se ser si sin sobre
son soy su sus sí también te tengo tiene todo todos tu tus un una unas uno unos usted y ya yo él
""",
    "it": """
a ad ai al alla alle agli anche avere c che chi ci ciao come con cosa cui da dal dalla dalle dei
del dell della delle degli di dopo dove e ed essere fare fra gli ha hai hanno ho i il in io l la le
lei li lo loro lui ma me mi mia mie miei mio molto ne nei nel nella nelle no noi non nostro o
ogni per perché più posso può qual quale quali quando quanto quanta quello questa queste questi
questo qui se sei si sia sono su sua sue sugli sul sulla suo suoi ti tra tu tua tuo un una uno vi
voi vorrei è
""",
    "pt": """
a ao aos as até com como da das de dela dele do dos e ela elas ele eles em entre era essa esse esta
estas este estes estou está estão eu faz fazer foi há isso isto já lhe mais mas me mesmo meu meus
minha minhas muito na nas no nos nossa nosso não nós o olá onde os ou para pela pelo pode posso por
porque quais qual quando quanto que quem quero se sem ser seu seus sobre sou sua suas são também te
tem tenho tudo um uma umas uns você vocês à às é
""",
    "nl": """
aan al alle als altijd ben bent bij daar dan dat de deze die dit doe doen door dus een en er geen
geweest graag haar had hallo heb hebben heeft hem het hier hij hoe hoeveel hun ik in is ja je
jij jouw jullie kan kunnen kunt maar me meer mij mijn moet na naar nee niet nog nu of om omdat onder
ons onze ook op over per te tegen toch toen tot u uit uw van veel via voor waar waarom wanneer
want waren was wat we wel welke werd wie wil wij worden wordt zal ze zelf zich zij zijn zo zonder
zou
""",
    "pl": """
a aby ale bardzo bez by być był była było co czy dla do dlaczego gdy gdzie go i ich ile im ja jak
jaka jaki jakie jako je jego jej jest jestem jeszcze jeśli już kiedy kto która które który mam
ma mi mnie moja moje mogę może można mój muszę my na nad nam nas nie nich nim niż no o od on ona one
oni oraz po pod proszę przed przez przy są się sobie ta tak także tam te tego tej ten to tu tych
tylko tym u w we wszystko z za ze że
""",
    "ru": """
а без бы был была были было быть в вам вас ваш ваша ваши весь во вот все всё вы где да для до его
ее её если есть еще ещё же за здравствуйте и из или им их к как какая какие какой когда кто ли мне
можно могу мой моя мои мы на над нам нас наш не него нее неё нет ни них но ну о об он она они оно
от по под пожалуйста после почему при с свой себя сколько со так также там то того тоже только том
ты у уже хочу что чтобы чем эта эти это этот я
""",
    "tr": """
ama ancak artık az bana bazı belki ben beni benim bir biraz biz bize bizim bu bunu bunun burada
ben da daha de defa değil diye en gibi hangi hem hep her hiç için ile ise istiyorum kaç kadar kim ki
lütfen merhaba mi mu mı mü nasıl ne neden nedir nerede nereye o olan olarak oldu olur ona onu onun
sana sen seni senin siz size sizin şu tüm var ve veya ya yok çok şey
""",
    "zh": """
的 了 是 在 我 你 您 他 她 它 们 我们 你们 他们 和 与 及 或 也 都 就
还 吗 呢 吧 啊 呀 么 什么 怎么 怎样 怎么办 如何 为什么 为何 哪 哪里 哪儿
哪个 哪些 哪一 谁 何 何时 多少 几 请 请问 想 想要 要 能 可以 可 会 有
没有 个 这 那 这个 那个 这些 那些 把 被 对 给 让 从 到 并 而 但 但是
如果 因为 所以 之 其 于 以 为 你好 您好 谢谢 一下 一个 不 很 上 下 中
里 后 前 时 时候 关于 知道 告诉 多久 多长 是否 能否 咋
""",
}

STOP_WORDS = {language: frozenset(words.split()) for language, words in _LISTS.items()}
"""ISO 639-1 to lower-cased words."""
