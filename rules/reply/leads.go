package reply

import (
	"encoding/json"
	"slices"
	"strings"
)

// phrases splits a list of phrases, separated by commas, into their folded words. The longest comes first, so that "my
// name is" wins over "my".
func phrases(list string) [][]string {
	var out [][]string
	for phrase := range strings.SplitSeq(list, ",") {
		out = append(out, strings.Fields(fold(phrase)))
	}
	slices.SortStableFunc(out, func(a, b []string) int { return len(b) - len(a) })
	return out
}

var (
	// leads come before a value.
	leads = phrases(`it's spelled, it is spelled, it's spelt, spelled, spelt, it's, its, it is, it is in, it's in,
		that's, that is, thats, this is, that would be, that'd be, that will be,
		it would be, it'd be, it should be, should be, it has to be, it must be, it will be, i meant, i mean, i said,
		make it, make that,
		change it to, change that to, set it to, put, use, please use, try, actually, sorry, so, well, hm, um, uh,
		ah, oh, and, but,
		the answer is, the right one is, the correct one is, my name is, the name is, name is, my full name is,
		my first name is, call me,
		you can call me, please call me, i'm called, i am called, name's, my name's, i go by, they call me,
		i live in, we live in, i'm living in,
		i am living in, living in, i live at, we live at, i'm based in, i am based in, we're based in,
		we are based in, based in, i'm from,
		i am from, i come from, from, i'm in, i am in, i reside in, i moved to, i work as a, i work as an, i work as,
		i'm working as a, i'm working as an,
		i'm a, i am a, i'm an, i am an, i'm the, i'm, i am, i was born on, i was born, born on, born, on the, on, in,
		at, a, an, i'd like, i would like, i want, i'd prefer,
		i think i'd like, i think i would like, i think i'll take, i think i want, i think i'd prefer, i'll take,
		i prefer, i have, i have had, i've had, i've got, we are, we're, we will be, we'll be, there are,
		there will be, there'll be, about,
		just, only, to, now it's, now, you can reach me at, you can reach me on, reach me at, write to,
		you can write to, you can call me on,
		i earn, i make, i get, hello, hi, hey, okay, ok, yes, sure, of course, please, no, not that, rather, instead,
		but rather, i use,
		ich wohne in, ich lebe in, wir wohnen in, ich heiße, ich heisse, mein name ist, ich bin, es ist, das ist,
		in, aus, am, sondern, sondern in, nämlich,
		je m'appelle, mon nom est, moi c'est, j'habite à, j'habite, c'est, je suis, plutôt, à, me llamo,
		mi nombre es, vivo en, soy, es, en,
		mi chiamo, il mio nome è, vivo a, abito a, sono, è, a, chamo-me, me chamo, meu nome é, moro em,
		eu moro em, sou, é, em,
		ik heet, mijn naam is, ik woon in, het is, nazywam się, mam na imię, mieszkam w, jestem, to,
		меня зовут, я живу в, jag heter, jag bor i, det är, i`)
	// selfLeads come before names, and before what the customer is or does: "I'm waiting".
	selfLeads = newPhrases("i'm, i am, ich bin, je suis, soy, sono, sou, jestem, this is, we are, we're, i")
	// namingLeads come before a name also in lower case: "i live in leeds". After other leads, such as "i want", a word
	// in lower case is no name.
	namingLeads = newPhrases(`it's, its, it is, that's, that is, my name is, the name is, name is,
		my full name is, my first name is, call me,
		you can call me, please call me, i'm called, i am called, name's, my name's, i go by, they call me,
		i live in, we live in, i'm living in,
		i am living in, living in, i live at, we live at, i'm based in, i am based in, we're based in,
		we are based in, based in, i'm from, i am from,
		i come from, from, i'm in, i am in, i reside in, i moved to, in, at, i meant, i mean, i said, make it,
		make that, change it to, change that to,
		should be, it should be, sorry, actually, it would be, that would be, it will be, just, yes, sure, ok, okay,
		no, rather, instead, it's spelled,
		ich wohne in, ich lebe in, wir wohnen in, ich heiße, ich heisse, mein name ist, es ist, das ist, aus,
		je m'appelle, mon nom est, j'habite à,
		c'est, à, me llamo, mi nombre es, vivo en, es, en, mi chiamo, il mio nome è, vivo a, abito a, è, chamo-me,
		me chamo, meu nome é, moro em,
		eu moro em, é, em, ik heet, mijn naam is, ik woon in, het is, nazywam się, mam na imię, mieszkam w, to,
		меня зовут, я живу в, jag heter, jag bor i,
		put, use, please use, hello, hi, hey, please, so, well, hm, um, uh, ah, oh, and, but, now it's, now,
		the answer is, the right one is, the correct one is`)
	// tails come after a value.
	tails = phrases(`please, pls, plz, thanks, thank you, thanks a lot, thank you very much, thx, ty, now,
		instead, actually, again, is mine,
		is right, is correct, is my name, is the right one, is the correct one, is better, is fine, would be great,
		would be good, would be nice, would be perfect, if possible, if at all possible, if you can, if you could,
		sorry, then, i meant, for me,
		not that, these days, at the moment, right now, currently, since last year, by the way, sir, madam, here,
		as i said, is it, that's it, that is it, speaking, here, all in all, in total, altogether, of us, only, max,
		bitte, danke, merci, s'il vous plaît, gracias, por favor, grazie, per favore, obrigado, obrigada, dank je,
		alsjeblieft, proszę, dziękuję, пожалуйста, спасибо, tack`)
	// sentenceWords belong to a sentence and to no value that is a few words, such as a name or a place.
	sentenceWords = newSet(`i i'm i'd i'll i've you you're he he's she she's they they're it it's its we we're me
		my mine your his her their us our him them
		is are was were be been being has have had having do does did doing done would could should must can cannot
		gets got get getting
		this that that's thats these those there here what what's who whose where when why how which if because
		although though since while so than then
		please thanks thank sorry hello hi hey ok okay want need like think know guess say said tell told ask asked
		asking give gave going goes go went
		waiting wait stop cancel help thing things something anything nothing everything someone anyone nobody none
		same before again still already yet just only really very
		too also about without with but or either neither maybe perhaps few some any many much more most less least enough
		ich du er sie wir ihr mein dein bin bist hast habe haben hat wird werden würde kann kein keine nicht ein bisschen
		je tu il elle nous vous mon ma suis est sont avez ai pas que qui quoi
		yo tú él ella mi eres tengo tiene hay pero porque qué
		lol haha asap unacceptable ridiculous terrible great nice awesome whatever random forget mistake wrong right
		correct until till last ago anymore former formerly course
		near outside around close next today tomorrow yesterday tonight soon later always never as above see profile
		file proceed roger negative bla blah`)
)

// narrativeWords begin or name questions whose answers are free text of any length.
var narrativeWords = newSet(`describe description describes tell explain explanation details detail comment
	comments feedback message note notes
	reason reasons why happened story summary problem issue complaint request remarks remark incident instructions
		symptoms experience`)

// nameNouns are words of labels whose values are names: of people, places and organisations.
var nameNouns = newSet(`name surname city town village country place region state province county company employer
	destination origin hometown`)

// isName reports whether the values of the field are names.
func (r *reader) isName() bool {
	for _, text := range []string{r.Definition.Label(), strings.ReplaceAll(r.Definition.Name, "_", " ")} {
		if slices.ContainsFunc(strings.Fields(fold(text)), func(w string) bool { return nameNouns[w] }) {
			return true
		}
	}
	return false
}

// isNarrative reports whether the answer to the question is a text of its own, which is stored as a whole.
func (r *reader) isNarrative() bool {
	if hasForm(r.Definition) {
		return false
	}
	name := strings.ReplaceAll(r.Definition.Name, "_", " ")
	for _, text := range []string{r.Definition.Prompt(), r.Definition.Label(), name} {
		for _, s := range segments(text) {
			if slices.ContainsFunc(s.tokens, func(t token) bool { return narrativeWords[t.word] }) {
				return true
			}
		}
	}
	return false
}

// readNarrative reads an answer in free text. It is the value unless all of it is something else.
func (r *reader) readNarrative() Reading {
	const enough = 3 // words of content that make a text, also if a part of it sounds like a doubt
	words := 0
	if r.only(classDoubt, classCourtesy) && len(r.parts) == 1 && len(r.parts[0].tokens) < 2*enough {
		return r.readSignals()
	}
	for _, p := range r.parts {
		if p.class == classContent || p.class == classDoubt && len(p.tokens) > enough {
			words += len(p.tokens)
		}
	}
	opens := r.parts[0].class
	if words == 0 || words < enough && len(r.parts) > 1 || opens == classRefused ||
		(opens == classInterruption || opens == classQuestion) && words <= enough*enough {
		return r.readSignals()
	}
	value, err := json.Marshal(strings.TrimSpace(r.text))
	if err != nil {
		return Reading{Kind: Unclear, Problem: err}
	}
	return r.checkWhole(value)
}
