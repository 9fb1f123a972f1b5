package reply

import "strings"

// set is a set of folded words.
type set map[string]bool

func newSet(lists ...string) set {
	out := set{}
	for _, list := range lists {
		for _, w := range strings.Fields(list) {
			out[fold(w)] = true
		}
	}
	return out
}

// The vocabularies cover English and the other languages of Europe with most speakers: German, French, Spanish,
// Italian, Portuguese, Dutch, Polish, Russian, Ukrainian, Romanian, Swedish, Danish, Norwegian, Hungarian, Czech,
// Greek, Finnish and Turkish. A word is in a list only if it has the meaning in every language of the list that has the
// word: "da" is yes, "ne" is no list at all (no in Czech and Bulgarian, yes in Greek).
var (
	// yesWords agree by themselves.
	yesWords = newSet(
		`yes y yeah yep yup yea ye yess yesss yas yah aye sure ok okay okey k affirmative absolutely definitely certainly
		exactly precisely indeed totally roger proceed bingo`,
		`ja jawohl jo jep genau klar natürlich selbstverständlich gern gerne`,
		`oui ouais exactement absolument volontiers`,
		`si sí claro vale exacto seguro`,
		`sì esatto certo certamente esattamente`,
		`sim claro exato isso`,
		`jazeker zeker precies inderdaad`,
		`tak zgadza dokładnie oczywiście`,
		`да ага конечно именно так звичайно`,
		`da desigur sigur`,
		`javisst precis visst jepp`,
		`igen pontosan persze`,
		`ano jasně přesně ναι βέβαια kyllä joo evet`,
		`👍 ✅ ☑ ✔ 👌 💯 🙆`,
	)
	// rightWords agree, or disagree after a negation.
	rightWords = newSet(
		`correct right true good fine perfect accurate agree agreed agrees confirm confirmed confirms accept accepted
		accepts great consent consented 100% spot-on`,
		`richtig stimmt stimme korrekt passt recht einverstanden zustimme akzeptiere bestätige perfekt`,
		`exact correct juste bon d'accord accepte j'accepte n'accepte confirme parfait fait`,
		`correcto cierto bien acuerdo acepto confirmo correcta exacta perfecto`,
		`corretto giusto vero bene d'accordo accetto confermo giusta corretta perfetto`,
		`correto certo verdade aceito concordo perfeito`,
		`klopt juist goed akkoord perfect`,
		`dobrze prawda poprawnie zgadzam akceptuję zgoda`,
		`верно правильно точно согласен согласна вірно згоден згодна`,
		`corect adevărat bine accept`,
		`stämmer rätt riktigt stemmer riktig rigtigt korrekt`,
		`helyes rendben σωστά σωστό správně souhlasím oikein doğru tamam`,
	)
	// wrongWords say that something is not right. With a negation they may say the opposite.
	wrongWords = newSet(
		`wrong incorrect false misspelled misspelt mistaken untrue`,
		`falsch`,
		`faux`,
		`incorrecto falso equivocado mal`,
		`sbagliato errato`,
		`errado`,
		`fout onjuist`,
		`źle`,
		`неверно неправильно невірно`,
		`greșit gresit`,
		`fel feil forkert`,
		`rossz λάθος špatně väärin yanlış`,
	)
	// noWords disagree by themselves.
	noWords = newSet(
		`no nope nah naw n negative reject decline refuse disagree`,
		`nein nö nee`,
		`non`,
		`não nao`,
		`nee`,
		`nie`,
		`нет ні`,
		`nu`,
		`nej nei`,
		`nem όχι ei hayır`,
		`👎 ❌ ✖ 🚫 🙅`,
	)
	// negations make the opposite of what is beside them.
	negations = newSet(
		`not never isn't isnt aren't arent wasn't wasnt don't dont doesn't doesnt didn't didnt won't wont can't cant
		cannot
		wouldn't wouldnt haven't havent hasn't hasnt nothing neither nor`,
		`nicht kein keine keinen nie niemals`,
		`pas jamais nunca jamás`,
		`mai niente`,
		`niet geen`,
		`не`,
		`inte ikke ej aldrig`,
		`nincs δεν není ei değil`,
	)
	// fillers have no meaning of their own in a reply to a confirmation.
	fillers = newSet(
		`it it's its is that that's thats that'll this these those the a an one thing i i'm im i'd i'll i've me my mine
		we we're our us you you're your u he she be been being are am do does did done have has will would can could
		please pls plz thank thanks thx ty cheers you so very much many all still same just quite really at of to for
		in on
		as well now then here there got it like love want need drive take choose prefer pick book order go wish use
		used keep save saved store go ahead mate dear sir
		madam miss man oh ah well um uh er eh hey hi hello there again and too also always by way everything anything
		sounds looks seems live living called name number address old new outdated changed change longer any more anymore
		what's what which old-fashioned moved since delete remove forget down take note noted replace replaces
		replaced record with receive get happy glad
		nice cool awesome lovely ever even them they sorry apologies course sir señor everything actually meant mean
		born registered`,
		`das ist es so bin ich bitte danke schön sehr vielen dank so ganz alles auch doch ja hier mein meine
		gut ab möchte will habe hätte alles leider zu dem der die`,
		`c'est ça est tout très merci beaucoup s'il vous te plaît plait je suis j' mon ma du de la le bien sûr avec
		plaisir veux n'est ce tout à fait`,
		`es eso esto está todo muy gracias por favor mi que es la el lo así de va desde luego para nada quiero`,
		`è e' questo tutto grazie mille prego per favore sono mio mia il la va`,
		`é está esse mesmo obrigado obrigada tudo meu minha por favor o a`,
		`het dat is dank je u wel bedankt alsjeblieft alstublieft hoor mijn graag helemaal`,
		`się to jest tak dziękuję dzięki proszę moje mój moja`,
		`это всё все спасибо пожалуйста мой моя моё це дякую будь ласка`,
		`este asta e mulțumesc mersi`,
		`det är er tack takk tak så helt min mitt snälla`,
		`ez az köszönöm kösz kérem ευχαριστώ prosím děkuji kiitos teşekkürler`,
	)
	// agreements are complete segments that agree without a word of yesWords.
	agreements = newPhrases(`it is, it is indeed, it does, that is it, that's it, thats it, that's what i said,
		that is what i said, as i said, così è, så är det, así es, va bene, alles gut, that's me, that is me,
		thats me, this is me,
		it's me, that's the one, thats the one, that is the one, that one, still the same, same as before,
		it's still the same,
		i do, i am, i have, i did, i would, i will, of course, spot on, right you are, uh huh, uh-huh, mm hmm, mhm, mmhm,
		sounds good, looks good, all good, you got it, go ahead, go for it, got it, by all means, bien sûr, por supuesto,
		de acuerdo, desde luego, certo che sì, isso mesmo, das bin ich, so ist es, no doubt, without a doubt,
		you bet, yessir`)
	// denials are complete segments that disagree without a word that is known.
	denials = newPhrases(`i don't think so, i do not think so, that's not it, that is not it,
		that's not what i said, that isn't what i said,
		no longer, not any longer, not any more, not anymore, i moved, i've moved, i have moved, we moved,
		it changed, it has changed,
		it's changed, that's old, that's outdated, it's outdated, this is outdated, that's my old one,
		that's a mistake, it's a mistake, there's a mistake,
		that's a typo, typo, never lived there, so nicht, leider nein, leider nicht, ganz und gar nicht,
		au contraire, para nada, pas du tout,
		per niente, de jeito nenhum, helemaal niet, close, almost, nearly, close but no, not exactly, fast, beinahe,
		presque, casi, quasi, hell no`)
	// softNo are words that disagree about the candidate if nothing in the segment agrees.
	softNo = newSet("old outdated changed moved mistake typo former expired obsolete")
	// intensifiers strengthen what they stand beside: "absolutely not".
	intensifiers = newSet(`absolutely definitely certainly exactly precisely indeed totally sure klar natürlich genau
		absolument exactement exact claro certo certamente exacto zeker seguro`)
	// courtesies are complete segments without a meaning.
	courtesies = newPhrases(`thanks, thank you, thx, please, hello, hi, hey, hi there, hello there, good morning,
		good afternoon,
		good evening, sorry, oh, ah, well, um, uh, hm, hmm, so, ok so, sorry about that, my bad, oops, apologies,
		excuse me,
		guten tag, guten morgen, hallo, danke, bitte, merci, bonjour, gracias, hola, buenos días, grazie, ciao, obrigado,
		dziękuję, спасибо, no problem, no problems, no worries, not a problem, no problem at all,
		no problems at all, no issue, no issues,
		no objection, no objections, no concerns, why not, no matter, to be honest, honestly, by the way, actually,
		and, cheers, bye, goodbye, lol, haha,
		thanks a lot, thank you very much, thanks so much, many thanks, as i said, like i said, let's see, let me see`)
)

// newPhrases splits a list of phrases, separated by commas, into a set.
func newPhrases(list string) set {
	out := set{}
	for phrase := range strings.SplitSeq(list, ",") {
		out[strings.Join(strings.Fields(fold(phrase)), " ")] = true
	}
	return out
}
