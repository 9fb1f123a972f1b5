package reply

import (
	"regexp"
	"strings"
)

// patterns are phrases, in folded words separated by single spaces. A phrase of whole must be all of a segment, apart
// from courtesies; one of within may be anywhere in it.
type patterns struct{ whole, within *regexp.Regexp }

// newPatterns makes patterns from lists of regular expressions, one a line.
func newPatterns(whole, within string) patterns {
	alternatives := func(list string) string {
		return strings.Join(strings.FieldsFunc(list, func(r rune) bool { return r == '\n' || r == '\t' }), "|")
	}
	const polite = `(?:(?:please|pls|sorry|bitte|por favor|s'il vous plaît|per favore|thanks|thank you|danke|just|` +
		`well|ok|okay|oh|no|now|then|so|hey|mal|yes|uh|um)(?: |$))*`
	return patterns{
		whole:  regexp.MustCompile(`^` + polite + `(?:` + alternatives(whole) + `)(?: |$)` + polite + `$`),
		within: regexp.MustCompile(`(?:^| )(?:` + alternatives(within) + `)(?: |$)`),
	}
}

func (p patterns) match(words string) bool {
	return p.whole.MatchString(words) || p.within.MatchString(words)
}

// refusals say that the customer will not give the value, or has none.
var refusals = newPatterns(`pass
	skip|skip (?:this|it|that|the)(?: one| question)?|next|next question|next one
	no comment|n/a|not applicable|none of your business|private|confidential|personal|rather not|i'd rather not|i would rather not|prefer not|i prefer not|i'd prefer not
	i won't|i will not|überspringen|weiter|nächste frage|keine angabe|keine angaben|lieber nicht|geht dich nichts an
	saltar|siguiente|paso|passer|suivant|passo|salta|pular|overslaan|pomiń|пропустить|hoppa över|not telling|no te importa`,
	`(?:rather|prefer|preferred) not(?: to)? (?:say|tell|answer|give|share|disclose|provide|reveal|discuss|talk|state|do|go|mention)
	(?:rather|prefer to) keep (?:that|it|this|my|them)
	none of (?:your|ur|you) (?:business|concern)|not (?:your|ur) business|(?:it's|that's|it is|that is|this is) (?:very |too |quite |rather |strictly |kinda |kind of )?(?:private|confidential|personal|none of your)
	(?:won't|will not|wont|refuse to|not going to|not gonna|am not|i'm not|not) (?:tell|telling|say|saying|give|giving|share|sharing|answer|answering|disclose|disclosing|provide|providing|hand|handing|reveal|revealing) (?:you|u|that|this|it|my|any|out|to)
	(?:don't|do not|dont) (?:want|wish|like|care|feel like|feel comfortable|intend|wanna) (?:to |with )?(?:tell|say|give|share|answer|disclose|provide|reveal|telling|saying|giving|sharing|answering|talk|discuss)
	(?:don't|do not|dont) (?:give|share|disclose) (?:out )?(?:my|that|this|such|personal)|not comfortable|uncomfortable
	(?:don't|do not|dont|haven't|have not) (?:have|own|got|use)(?: got)? (?:a|an|any|one)|i have (?:no|none)|i've got (?:no|none)|don't have (?:e-?mail|phone|internet)
	can(?:not|'t)? we skip|let's skip|skip (?:this|that|the) (?:question|one|step)|move on|next question please
	(?:geht|gehen) (?:sie|dich|euch|niemanden|niemand) (?:gar |überhaupt )?nichts an|(?:möchte|will|werde|mag) (?:ich|das|es|ich das|ich dazu|dazu|ihnen)?(?: ?(?:das|es|dazu|hier|lieber|ihnen|dir))* ?nichts? (?:sagen|angeben|beantworten|verraten|mitteilen|preisgeben|nennen|teilen)|sage ich (?:lieber |ihnen |dir )?nicht|lieber nicht (?:sagen|angeben)
	prefiero no|no (?:quiero|deseo|voy a) (?:decir|dar|contestar|responder|compartir)\S*|no es asunto (?:tuyo|suyo)|no (?:le|te) importa
	préfère ne pas|(?:ne )?(?:veux|souhaite|vais) pas (?:le |la |vous |te )?(?:dire|donner|répondre|partager|communiquer)|(?:ça|cela) ne (?:vous|te) regarde pas
	preferisco non|non (?:voglio|desidero) (?:dir|dar|risponder|condivider)\S*|non sono affari (?:tuoi|suoi)
	prefiro não|não (?:quero|vou) (?:dizer|dar|responder|informar)|não é da sua conta
	liever niet|(?:zeg|geef) ik (?:liever )?niet|gaat (?:je|u) niets aan|wil ik (?:liever )?niet
	wolę nie|nie (?:chcę|powiem|podam)|nie twoja sprawa|не (?:хочу|буду|скажу) (?:говорить|отвечать|называть)|не ваше дело|vill inte (?:säga|svara|uppge)|prefer să nu`)

// interruptions put the question off, or turn to something else.
var interruptions = newPatterns(`stop|stop it|stop that|stop this|stop now|stop please|cancel|cancel (?:it|that|this|everything|all)|abort|quit|exit|halt
	wait|wait wait|wait a (?:sec|second|minute|min|moment|mo|bit)|hold|hold on|hang on|hold up|moment|one (?:sec|second|moment|minute|min|mo)|(?:a |one |1 )?(?:sec|second|moment|minute|min|mo)|two (?:secs|seconds|minutes|mins)|give me a (?:sec|second|moment|minute|min)|bear with me|(?:be right back|brb|bbl|gtg|g2g|afk|back soon|busy|i'm busy|i am busy)
	later|not now|maybe later|another time|some other time|not yet|tomorrow maybe|in a minute|in a bit|in a moment|give me time
	never ?mind|nvm|forget it|forget about it|start (?:over|again)|go back|back|undo|restart|reset|menu|main menu|help|help me|repeat|repeat that|say again|say that again|come again|pardon|pardon me|excuse me|beg your pardon|i beg your pardon|huh|what|eh|sorry what|who|why|how|when|where|which
	(?:human|representative|real person|customer service)
	good morning|good afternoon|good evening|hello|hi|hey|hello there|hi there|anyone there|are you there|you there
	(?:einen |nen )?(?:moment|augenblick|momentchen|kleinen moment|sekunde)|eine (?:sekunde|minute)|moment mal|warte|warten|warten sie|warte mal|stopp|halt|abbrechen|abbruch|später|spaeter|zurück|hilfe|wie bitte|was|bitte was|entschuldigung|neu anfangen|von vorne
	attendez|attends|un (?:moment|instant)|une (?:minute|seconde)|annuler|annulez|arrêtez|arrête|plus tard|aide|pardon|comment|quoi|retour
	(?:un|espera un|espere un|dame un) (?:momento|momentito|segundo|minuto)|momento|espera|espere|cancelar|cancela|para|pare|alto|más tarde|mas tarde|luego|ayuda|perdón|cómo|qué|volver
	aspetta|aspetti|un (?:attimo|momento|secondo)|annulla|annullare|ferma|basta|più tardi|dopo|aiuto|scusi|come|cosa|indietro
	um (?:momento|instante|minuto)|espera aí|mais tarde|depois|ajuda|como|voltar
	momentje|even (?:wachten|geduld)|wacht|wacht even|annuleren|later|straks|hulp|wat|terug|chwileczkę|chwila|moment|czekaj|anuluj|później|pomoc|proszę czekać|подождите|подожди|минутку|минуту|секунду|стоп|отмена|позже|зачекайте|помощь|vänta|ett ögonblick|avbryt|stopp|senare|vent|et øjeblik|annuller|várj|egy pillanat|mégse|stai|așteptați|anulează|počkejte|zrušit`,
	`(?:just|only|gimme|give me|wait|hold on) (?:a|one|1|for a) (?:sec|second|moment|minute|min|mo|bit)|hold on|hang on|hold up|brb|be right back|(?:a|one) (?:sec|moment|minute) please
	(?:ask|asking|check with|talk to|speak (?:to|with)|call|consult) (?:my|the|our|his|her) \S+|(?:i'll|i will|i'd|i must|i should|let me|i need to|i have to|i'll have to|i gotta|need to|have to|gotta|got to|must|going to|gonna|lemme|i want to|can i|i'd have to|i would have to) (?:first )?(?:ask|check|look|read|think|see|find|get|search|grab|fetch|dig|go|consult|call|verify|double-check|confirm with|finish|take this)
	(?:don't|do not|dont|haven't|didn't) (?:have|got|carry|bring)(?: got)? (?:it|that|this|the|my|them|anything) ?\S* ?\S* ?(?:here|with me|on me|at hand|to hand|handy|in front of me|right now|at the moment|nearby|memorised|memorized|it's|its)|not (?:at|to) hand
	i have (?:a|another|one|some|two) (?:quick )?questions?|(?:quick )?question first|before (?:i|we|that)|one question|can i ask|may i ask|i'd like to ask
	(?:talk|speak|transfer me|connect me|put me through|chat) (?:to|with) (?:a|an|some|your|the|one)|real (?:person|human)|customer service|customer support|someone is at|phone is ringing|i'm driving|i am driving|in a meeting|call me back|come back (?:to this )?later|do (?:this|it|that) later|another time
	(?:start|begin) over|from the beginning|never ?mind|forget (?:it|about it)|i changed my mind|i want to (?:cancel|stop|quit)|cancel (?:my|the|this|everything)|stop (?:this|asking|it)|leave me alone
	einen (?:kleinen )?(?:moment|augenblick)|moment (?:mal|bitte)|frag(?:en sie|t)? (?:meine|meinen|mein)|muss (?:ich )?(?:erst|kurz|mal)|muss (?:ich )?(?:nachsehen|nachschauen|fragen|suchen)|(?:hab|habe) (?:ich )?(?:gerade |jetzt )?(?:nicht|keine) (?:da|hier|dabei|zur hand)|(?:habe|hätte) (?:eine|noch eine) frage
	un momento|un instant|un attimo|un moment|um momento|momento por favor|(?:pregunta|pregúntale) a mi|demandez à (?:ma|mon)|chieda a mi|tengo una pregunta|j'ai une question|ho una domanda|tenho uma pergunta|ik heb een vraag|mam pytanie|у меня вопрос`)

// doubts say that the customer does not know, or does not commit.
var doubts = newPatterns(`maybe|perhaps|possibly|probably|dunno|idk|unsure|whatever|meh|lol|sort of|kind of|kinda|sorta|more or less|yes and no|no and yes|either|both|any|anything|nothing|same as before|the same|as before|(?:same|the same) as (?:before|last time|always|usual)|it depends|depends|if you say so|i think so|i guess|i guess so|i suppose|i suppose so|should be|could be|might be|must be|i hope so|guess so|not really sure|hard to say|who knows|may be|don't mind|i don't mind|it was|that was|used to be|it used to be
	vielleicht|weiß nicht|keine ahnung|egal|kann sein|wahrscheinlich|jein|möglich|peut-être|sais pas|quizás|quizas|tal vez|puede ser|forse|boh|talvez|misschien|może|возможно|может быть|наверное|kanske|måske|talán|poate|možná|🤷|🤔|🤷‍♂|🤷‍♀`,
	`maybe|perhaps|possibly|probably|presumably|dunno|idk|unsure|not (?:so |quite |really |too |entirely |completely |100% |very )?(?:sure|certain)|(?:don't|dont|do not|didn't|doesn't) (?:really |even |exactly )?(?:know|remember|recall|understand)|no (?:idea|clue)|not a clue|haven't (?:a clue|the faintest)|forgot|forgotten|can't (?:remember|recall|say|tell)|cannot (?:remember|recall|say)|who knows|hard to say|difficult to say|could be|might|i think|i guess|i believe|i suppose|i assume|depends|depending|whichever|whatever|either|\S+ or \S+|if|unless|provided|assuming|as long as|let's say|lets say|let us say|suppose|supposing|say for example|for example|e\.g|hypothetically|pretend|imagine|in case|something like|more or less|sort of|kind of|roughly speaking|approximately speaking|neither|anything but|anyone but|everything but|all but|except|other than|yes and no|between|yes but|not only|used to|as above|see above|(?:already|just) (?:told|gave|said|have|know)|told you|on file|in my profile
	vielleicht|wahrscheinlich|möglicherweise|(?:weiß|weiss) (?:ich |es |das )?(?:ich )?nicht|keine ahnung|glaube|falls|wenn|\S+ oder \S+|egal|peut-être|(?:sais|saurais) pas|aucune idée|je crois|quizás|quizas|tal vez|no sé|no se|ni idea|creo que|depende|forse|non (?:lo )?so|non saprei|nessuna idea|talvez|não sei|nao sei|sei lá|acho que|misschien|weet (?:ik )?(?:het )?niet|geen idee|nie wiem|nie mam pojęcia|chyba|не знаю|не помню|возможно|может|кажется|vet inte|kanske|ingen aning|nem tudom|talán|nu știu|nu stiu|poate|nevím|možná`)

// questionStart matches the beginning of a question that has no question mark.
var questionStart = regexp.MustCompile(`^(?:(?:and|but|so|ok|okay|hm|hmm|well|wait|yes|no|sorry|first|hello|hi|hey) )*` +
	`(?:why|what|what's|whats|where|where's|who|who's|how|how's|when|which|whose|` +
	`(?:is|are|was|were|do|does|did|can|could|will|would|should|have|has|may|must) (?:i|you|we|they|he|she|it|this|that|there|the|my|your|someone|somebody)|` +
	`warum|wieso|weshalb|wozu|wofür|was|wie|wo|wer|wann|welche|pourquoi|comment|où|quand|qui|quel|quelle|est-ce|qu'est-ce|` +
	`por qué|porque|qué|cómo|dónde|quién|cuándo|cuál|perché|come|dove|chi|quando|quale|por que|onde|quem|waarom|hoe|waar|wie|wanneer|` +
	`dlaczego|po co|gdzie|kto|kiedy|почему|зачем|что|как|где|кто|когда)(?: |$)`)

// bounds say that a number or a date in the same segment is not the value itself: it limits the value, or belongs to
// the past.
var bounds = newPatterns(`$^`,
	`more than|less than|fewer than|at least|at most|over|under|up to|below|above|no more than|not more than|minimum|maximum|almost|nearly|not even
	before|after|since|until|till|by|(?:it|that|they|there) (?:was|were)|last year|years ago|back then|mehr als|weniger als|mindestens|höchstens|über|unter
	plus de|moins de|au moins|au plus|más de|menos de|al menos|como mucho|più di|meno di|almeno|mais de|pelo menos|meer dan|minder dan|minstens`)

// periods are units of time.
var periods = newPatterns(`$^`, `(?:per|a|each|every|an|the|pro|par|al) (?:month|week|day|hour|fortnight|quarter|monat|woche|mois|semaine|mes|semana)|monthly|weekly|daily|hourly|fortnightly|quarterly|im monat|monatlich`)
