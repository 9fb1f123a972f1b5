package evidence

import (
	"strings"
	"time"
	"unicode"

	"github.com/go-playground/locales"
	"github.com/go-playground/locales/de"
	"github.com/go-playground/locales/en"
	"github.com/go-playground/locales/es"
	"github.com/go-playground/locales/fr"
	"github.com/go-playground/locales/it"
	"github.com/go-playground/locales/nl"
	"github.com/go-playground/locales/pl"
	"github.com/go-playground/locales/pt"
	"github.com/go-playground/locales/ro"
	"github.com/go-playground/locales/ru"
	"github.com/go-playground/locales/tr"
	"github.com/go-playground/locales/uk"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/rules/internal/fold"
)

// language holds what the rules know of a language. Months, and the sign between whole number and fraction, are those
// of CLDR.
type language struct {
	code   string
	cldr   locales.Translator
	common string // frequent small words, by which the language is recognised
	not    string // words that deny what follows
	// suppose begins what is only supposed, up to the end of the turn. If begins a condition, up to the next comma.
	suppose, conditional string
	ask                  string // words that begin a question
	yes, no, doubt       string // replies
	self                 string // the customer: I, my, we, our
	other                string // he, she, they and what is theirs
	people               string // wife, son, friend, …

	numerals string // the numbers from zero, as words

	commaDecimal                                     bool
	numbers                                          map[string]int
	notSet, supposeSet, ifSet, askSet, yesSet, noSet phrases
	doubtSet, selfSet, otherSet, peopleSet           phrases
	commonSet                                        map[string]bool
}

// languages are English and the languages of Europe with the most speakers.
var languages = prepare([]*language{
	{
		code: "en", cldr: en.New(),
		common: "i my is the a and to me you it's i'm we our for of in at on please are was have this that can would",
		not: "not, cannot, never, no longer, neither, nor, dont, isnt, arent, wasnt, doesnt, didnt, cant, wont, " +
			"isn't, " +
			"aren't, wasn't, weren't, don't, doesn't, didn't, can't, won't, wouldn't, shouldn't, couldn't, haven't, " +
			"hasn't, ain't",
		suppose: "let's say, lets say, let us say, let's assume, lets assume, let us assume, let's suppose, let's " +
			"imagine, " +
			"let's pretend, suppose, supposing, imagine, pretend, hypothetical*, assume, assuming, say my, say i, " +
			"say that my, what if, " +
			"what would happen if, theoretically, in theory, for example, for instance, as an example, for the sake " +
			"of argument, " +
			"just testing, as a test, picture this, were i, if i were, if i was, if i had, if i lived, had i",
		conditional: "if, in case, unless, whether, provided, as long as, whenever, should my, should i, once my",
		ask: "is, are, was, were, do, does, did, can, could, will, would, should, shall, may, might, has, have, " +
			"had, am, who, what, " +
			"whats, what's, who's, which, when, where, why, how, whose, whom, isn't, aren't, doesn't, don't, " +
			"didn't, won't, can't",
		yes: "yes, yeah, yep, yup, yea, ye, yess, sure, correct, true, right, absolutely, definitely, certainly, " +
			"indeed, agree, agreed, ok, " +
			"okay, of course, go ahead, i accept, accepted, i consent, affirmative, exactly, with pleasure, i do, i " +
			"am, i have, i will, i would, i can, " +
			"no problem, no problems, fine, fine by me, fine with me, that's fine",
		no: "no, nope, nah, not, never, none, false, incorrect, wrong, disagree, cannot, without, i decline, i " +
			"refuse, i reject, don't, " +
			"doesn't, didn't, isn't, aren't, wasn't, won't, wouldn't, can't, haven't, hasn't, i'd rather not, " +
			"negative",
		doubt: "maybe, perhaps, unsure, possibly, probably, dunno, not sure, no idea, no clue, don't know, do not " +
			"know, " +
			"not certain, depends, it depends, i guess, i suppose, i think so, if, unless, only when, once i, once " +
			"you, provided, as long as, " +
			"hold on, wait, one moment, just a moment, let me, question, questions, first, before, later, not yet, " +
			"until, guess, sort of, kind of",
		self: "i, i'm, i've, i'd, i'll, im, ive, my, mine, we, we're, we've, we'd, our, ours, myself, me",
		other: "he, he's, she, she's, his, her, hers, him, they, they're, their, theirs, them, your, yours, " +
			"someone, somebody, " +
			"someone's, somebody's, everyone, else's, whose",
		people: "wife*, husband*, partner's, spouse*, son, sons, son's, daughter*, child, child's, children*, kid, " +
			"kids, kid's, baby*, mother*, " +
			"father*, mom, mom's, mum, mum's, mommy, dad, dad's, parent, parents, parent's, brother*, sister*, " +
			"friend, friends, friend's, buddy, " +
			"colleague*, coworker*, co worker, boss, boss's, manager, manager's, lawyer*, attorney*, solicitor*, " +
			"doctor*, accountant*, " +
			"neighbour*, neighbor*, roommate*, flatmate*, assistant*, secretary*, landlord*, landlady*, tenant*, " +
			"employer*, employee*, uncle*, " +
			"aunt*, cousin*, nephew*, niece*, grandma*, grandpa*, grandmother*, grandfather*, grandson*, " +
			"granddaughter*, stepson*, " +
			"stepdaughter*, stepfather*, stepmother*, fiance, fiancee, fiancé*, boyfriend*, girlfriend*, ex, ex's, " +
			"guardian*, carer*, caregiver*, " +
			"emergency contact*, beneficiary, beneficiaries, next of kin, referee, reference person, client, " +
			"client's, customer's, patient, " +
			"patient's, teacher*, therapist*, mate, mate's, in laws, mother in law*, father in law*, partner, twin, " +
			"twins, teenager, toddler, " +
			"dog, dog's, cat, cat's, pet's, agent's, plumber*, builder*, dentist*, student, student's, intern*, " +
			"supervisor*, bank's, company's, " +
			"shop's, hotel's, airline's, insurer*, supplier*, recipient, recipient's, sender, sender's, witness*, " +
			"other driver, " +
			"other person, another person, third party, user, users, user's",
	},
	{
		code: "de", numerals: "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn " +
			"vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn zwanzig",
		cldr: de.New(), commaDecimal: true,
		common: "ich ist mein meine meinen und der die das nicht ein eine am im bin habe wir bitte mit für von " +
			"auf zu den dem es ja lautet",
		not: "nicht, nie, niemals, kein, keine, keinen, keiner, nicht mehr, weder",
		suppose: "angenommen, nehmen wir an, nehmen wir mal an, sagen wir, sagen wir mal, mal angenommen, stell " +
			"dir vor, stellen sie sich vor, zum beispiel, hypothetisch*, was wäre wenn, was wenn",
		conditional: "wenn, falls, sofern",
		ask: "ist, sind, war, bin, habe, haben, hat, kann, können, könnte, darf, wer, was, welche*, wann, " +
			"wo, warum, wie, wessen, gilt, lautet, stimmt",
		yes: "ja, jawohl, jep, klar, genau, richtig, stimmt, einverstanden, gerne, natürlich, selbstverständlich, " +
			"ich akzeptiere, akzeptiere, " +
			"ich stimme zu, stimme zu, zugestimmt, sicher",
		no: "nein, nee, nö, nicht, kein, keine, keinen, falsch, niemals, ich lehne ab, lehne ab, auf keinen fall",
		doubt: "vielleicht, weiß nicht, keine ahnung, eventuell, wahrscheinlich, moment, kommt darauf an, wenn, " +
			"falls, sofern, erst, später, noch nicht, frage",
		self:  "ich, mein, meine, meinen, meinem, meiner, meines, wir, unser, unsere*, mir, mich",
		other: "er, sein, seine, seinen, seinem, seiner, ihr, ihre, ihren, ihrem, ihrer, deren, dessen",
		people: "frau, ehefrau, mann, ehemann, sohn, sohnes, tochter, kind, kinder, mutter, vater, vaters, eltern, " +
			"bruder, schwester, freund, freundin, " +
			"freunde, kollege*, kollegin, chef, chefin, anwalt, anwältin, arzt, ärztin, nachbar*, oma, opa, " +
			"partner, partnerin, onkel, tante, " +
			"notfallkontakt, vermieter*, steuerberater*, enkel*, neffe*, nichte",
	},
	{
		code: "fr", numerals: "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze " +
			"quinze seize",
		cldr: fr.New(), commaDecimal: true,
		common: "je suis mon ma mes est le la les et de du un une pas pour nous j'ai c'est à avec des sur mon " +
			"né née oui",
		not: "pas, jamais, aucun, aucune, ni, plus",
		suppose: "supposons, disons, imaginons, admettons, supposez, imaginez, par exemple, hypothétiquement, " +
			"et si",
		conditional: "si, au cas où",
		ask:         "est, est-ce, qui, que, quel*, quand, où, pourquoi, comment, combien, puis, pouvez, avez, êtes",
		yes: "oui, ouais, d'accord, exact, exactement, bien sûr, c'est ça, j'accepte, accepte, tout à fait, " +
			"volontiers, certainement, correct",
		no: "non, pas, jamais, faux, je refuse, aucun, aucune",
		doubt: "peut être, sais pas, aucune idée, probablement, ça dépend, si, attendez, un instant, d'abord, " +
			"plus tard, pas encore, question",
		self:  "je, j'ai, j'habite, mon, ma, mes, nous, notre, nos, moi, m'appelle",
		other: "il, elle, son, sa, ses, leur, leurs, lui",
		people: "femme, mari, fils, fille, enfant, enfants, mère, père, parents, frère, sœur, soeur, ami, amie, " +
			"amis, collègue*, patron, avocat*, médecin, " +
			"voisin*, copain, copine, conjoint*, épouse, époux, grand-mère, oncle, tante, contact d'urgence, " +
			"compagnon, compagne",
	},
	{
		code: "it", numerals: "zero uno due tre quattro cinque sei sette otto nove dieci undici dodici tredici " +
			"quattordici quindici sedici diciassette diciotto diciannove venti",
		cldr: it.New(), commaDecimal: true,
		common: "il mio la mia sono è e di che non un una per nato nata il sì vivo ho con del mi abito della in",
		not:    "non, mai, nessun, nessuna, né",
		suppose: "supponiamo, diciamo, immaginiamo, mettiamo, ipotizziamo, per esempio, ad esempio, " +
			"ipoteticamente, e se",
		conditional: "se, qualora",
		ask:         "è, chi, che, quale, quali, quando, dove, perché, come, quanto, posso, può, ha",
		yes: "sì, si, certo, certamente, esatto, giusto, d'accordo, accetto, va bene, corretto, ok, " +
			"volentieri",
		no: "no, non, mai, sbagliato, falso, rifiuto",
		doubt: "forse, non so, non lo so, probabilmente, dipende, se, aspetta, un attimo, prima, dopo, non " +
			"ancora, domanda",
		self:  "io, mio, mia, miei, mie, noi, nostro, nostra, sono, mi",
		other: "lui, lei, suo, sua, suoi, sue, loro",
		people: "moglie, marito, figlio, figlia, figli, bambino, bambina, madre, padre, mamma, papà, genitori, " +
			"fratello, sorella, amico, amica, amici, " +
			"collega, capo, avvocato, medico, vicino, fidanzato, fidanzata, nonna, nonno, zio, zia, contatto di " +
			"emergenza, compagno, compagna",
	},
	{
		code: "es", numerals: "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce " +
			"quince dieciséis diecisiete dieciocho diecinueve veinte",
		cldr: es.New(), commaDecimal: true,
		common: "mi es el la los yo soy de y en que no un una por nací vivo para tengo con del mis está sí las " +
			"se",
		not: "no es, no soy, no vivo, no tengo, no quiero, no me, no está, no estoy, no uso, no era, nunca, " +
			"ni, jamás, tampoco",
		suppose: "supongamos, digamos, imaginemos, imagina, imagine que, pongamos, por ejemplo, " +
			"hipotéticamente, y si",
		conditional: "si, en caso de que",
		ask: "es, quién, qué, cuál, cuáles, cuándo, dónde, por qué, cómo, cuánto, puedo, puede, hay, tiene, " +
			"son",
		yes: "sí, si, claro, por supuesto, exacto, correcto, de acuerdo, acepto, vale, cierto, así es, desde luego, " +
			"conforme",
		no: "no, nunca, jamás, incorrecto, falso, rechazo, tampoco, no acepto",
		doubt: "quizás, quizá, tal vez, no sé, no lo sé, probablemente, depende, si es, si no, espera, espere, un " +
			"momento, primero, después, todavía no, pregunta",
		self:  "yo, mi, mis, mío, mía, nosotros, nuestro, nuestra, soy, vivo, tengo, nací, me",
		other: "él, ella, ellos, ellas, su, sus, suyo, suya",
		people: "esposa, esposo, mujer, marido, hijo, hija, hijos, niño, niña, madre, padre, mamá, papá, padres, " +
			"hermano, hermana, amigo, amiga, amigos, " +
			"colega, jefe, jefa, abogado, abogada, médico, vecino, vecina, novio, novia, abuela, abuelo, tío, tía, " +
			"contacto de emergencia, pareja, compañero, compañera",
	},
	{
		code: "pt", numerals: "zero um dois três quatro cinco seis sete oito nove dez onze doze treze catorze " +
			"quinze dezesseis dezessete dezoito dezenove vinte",
		cldr: pt.New(), commaDecimal: true,
		common: "o meu minha é eu sou e de não um uma em para nasci moro tenho com do da que sim os as no na",
		not:    "não, nunca, nem, jamais, nenhum, nenhuma",
		suppose: "suponha, suponhamos, digamos, imagine, imaginemos, vamos supor, por exemplo, hipoteticamente, " +
			"e se",
		conditional: "se, caso",
		ask:         "é, quem, que, qual, quais, quando, onde, por que, como, quanto, posso, pode, tem, são",
		yes:         "sim, claro, exato, exatamente, correto, certo, de acordo, aceito, concordo, com certeza, pois",
		no:          "não, nunca, errado, falso, recuso, discordo",
		doubt: "talvez, não sei, provavelmente, depende, se, espere, um momento, primeiro, depois, ainda não, " +
			"pergunta",
		self:  "eu, meu, minha, meus, minhas, nós, nosso, nossa, sou, moro, tenho, nasci, me",
		other: "ele, ela, eles, elas, seu, sua, dele, dela, deles",
		people: "esposa, esposo, mulher, marido, filho, filha, filhos, criança, mãe, pai, pais, irmão, irmã, amigo, " +
			"amiga, amigos, colega, chefe, " +
			"advogado, advogada, médico, vizinho, vizinha, namorado, namorada, avó, avô, tio, tia, contato de " +
			"emergência, contacto de emergência",
	},
	{
		code: "nl", numerals: "nul een twee drie vier vijf zes zeven acht negen tien elf twaalf dertien veertien " +
			"vijftien zestien zeventien achttien negentien twintig",
		cldr: nl.New(), commaDecimal: true,
		common: "ik ben mijn is het de een en van niet in op met woon heb wij ons voor te dat die graag " +
			"geboren ja bij",
		not: "niet, geen, nooit, niet meer, noch",
		suppose: "stel, stel dat, laten we zeggen, zeg maar, neem aan, bijvoorbeeld, hypothetisch, wat als, " +
			"laten we aannemen",
		conditional: "als, indien, mits",
		ask:         "is, zijn, wie, wat, welk*, wanneer, waar, waarom, hoe, kan, kunnen, mag, heeft, hebben, klopt",
		yes: "ja, jazeker, klopt, juist, akkoord, natuurlijk, zeker, prima, goed, graag, inderdaad, ik ga " +
			"akkoord",
		no: "nee, neen, niet, geen, nooit, fout, onjuist, ik weiger",
		doubt: "misschien, weet niet, weet ik niet, geen idee, waarschijnlijk, hangt ervan af, als, wacht, " +
			"momentje, eerst, later, nog niet, vraag",
		self:  "ik, mijn, m'n, wij, we, ons, onze, mij",
		other: "hij, zij, ze, zijn, haar, hun, hen, hem",
		people: "vrouw, man, echtgenoot, echtgenote, zoon, dochter, kind, kinderen, moeder, vader, ouders, broer, " +
			"zus, vriend, vriendin, vrienden, collega*, baas, " +
			"advocaat, dokter, huisarts, buurman, buurvrouw, oma, opa, partner, oom, tante, noodcontact",
	},
	{
		code: "pl", numerals: "zero jeden dwa trzy cztery pięć sześć siedem osiem dziewięć dziesięć jedenaście " +
			"dwanaście trzynaście czternaście piętnaście szesnaście siedemnaście osiemnaście dziewiętnaście " +
			"dwadzieścia",
		cldr: pl.New(), commaDecimal: true,
		common: "mój moja moje jest nie i w na z się mam jestem do to o mieszkam urodziłem urodziłam tak dzień " +
			"mnie od że",
		not: "nie, nigdy, ani, żaden, żadna",
		suppose: "załóżmy, powiedzmy, przypuśćmy, wyobraź, wyobraźmy, na przykład, hipotetycznie, a co jeśli, " +
			"gdyby, gdybym",
		conditional: "jeśli, jeżeli, gdy",
		ask:         "czy, kto, co, jaki*, który*, która, które, kiedy, gdzie, dlaczego, jak, ile",
		yes: "tak, zgoda, zgadzam się, dokładnie, oczywiście, pewnie, dobrze, akceptuję, jasne, owszem, " +
			"zgadza się, racja",
		no: "nie, nigdy, źle, błędnie, odmawiam",
		doubt: "może, nie wiem, chyba, prawdopodobnie, zależy, jeśli, jeżeli, chwila, chwileczkę, najpierw, " +
			"później, jeszcze nie, pytanie",
		self: "ja, mój, moja, moje, mojego, mojej, my, nasz, nasza, mnie, jestem, mam, urodziłem, urodziłam, " +
			"mieszkam",
		other: "on, ona, oni, jego, jej, ich",
		people: "żona, żony, mąż, męża, syn, syna, córka, córki, dziecko, dzieci, matka, matki, mama, mamy, ojciec, " +
			"ojca, tata, taty, rodzice, brat, brata, siostra, " +
			"siostry, przyjaciel, przyjaciółka, kolega, kolegi, koleżanka, szef, szefa, prawnik, prawnika, lekarz, " +
			"lekarza, sąsiad, sąsiadka, babcia, dziadek",
	},
	{
		code: "ro", numerals: "zero unu doi trei patru cinci șase șapte opt nouă zece unsprezece doisprezece " +
			"treisprezece paisprezece cincisprezece șaisprezece șaptesprezece optsprezece nouăsprezece douăzeci",
		cldr: ro.New(), commaDecimal: true,
		common: "este mea meu eu sunt și nu e în la de cu am un o pe locuiesc născut născută da să numele " +
			"pentru din",
		not:         "nu, niciodată, nici, niciun, nicio",
		suppose:     "să presupunem, să zicem, presupunem, imaginează, de exemplu, ipotetic, ce ar fi dacă",
		conditional: "dacă, în caz că",
		ask:         "este, cine, ce, care, când, unde, de ce, cum, cât, câți, pot, poate, puteți, e",
		yes:         "da, sigur, desigur, exact, corect, de acord, accept, bine, bineînțeles, așa e",
		no:          "nu, niciodată, greșit, fals, refuz",
		doubt: "poate, nu știu, probabil, depinde, dacă, stai, un moment, mai întâi, mai târziu, încă nu, " +
			"întrebare",
		self:  "eu, meu, mea, mei, mele, noi, nostru, noastră, sunt, locuiesc, am",
		other: "el, ea, ei, ele, lui, lor, său, sa",
		people: "soția, soția, soție, soțul, soț, fiul, fiu, fiica, fiică, copilul, copil, copii, mama, tata, " +
			"tatăl, părinții, fratele, frate, sora, soră, prietenul, prieten, " +
			"prietena, colegul, coleg, colega, șeful, avocatul, medicul, vecinul, bunica, bunicul",
	},
	{
		code: "ru", numerals: "ноль один два три четыре пять шесть семь восемь девять десять одиннадцать двенадцать " +
			"тринадцать четырнадцать пятнадцать шестнадцать семнадцать восемнадцать девятнадцать двадцать",
		cldr: ru.New(), commaDecimal: true,
		common: "я мой моя мое мне меня и в на не с у это живу родился родилась по от для есть нас мы что",
		not:    "не, нет, никогда, ни, больше не",
		suppose: "допустим, предположим, представим, скажем, представьте, например, гипотетически, а что если, " +
			"что если",
		conditional: "если, в случае",
		ask:         "кто, что, какой, какая, какое, какие, когда, где, почему, как, сколько, можно, ли, есть",
		yes: "да, ага, конечно, верно, правильно, согласен, согласна, точно, хорошо, принимаю, именно, " +
			"разумеется",
		no: "нет, не, никогда, неверно, неправильно, отказываюсь, несогласен",
		doubt: "может быть, возможно, не знаю, наверное, вероятно, зависит, если, подождите, минуту, сначала, " +
			"потом, пока нет, вопрос",
		self:  "я, мой, моя, мое, моё, мои, моего, моей, мне, меня, мы, наш, наша",
		other: "он, она, они, его, ее, её, их, ему, ей",
		people: "жена, жены, жену, муж, мужа, сын, сына, дочь, дочери, дочка, ребенок, ребёнок, ребенка, дети, " +
			"детей, мать, мама, мамы, отец, отца, папа, папы, родители, брат, брата, " +
			"сестра, сестры, друг, друга, подруга, подруги, коллега, коллеги, начальник, адвокат, врач, сосед, " +
			"соседка, бабушка, бабушки, дедушка",
	},
	{
		code: "uk", numerals: "нуль один два три чотири п'ять шість сім вісім дев'ять десять одинадцять дванадцять " +
			"тринадцять чотирнадцять п'ятнадцять шістнадцять сімнадцять вісімнадцять дев'ятнадцять двадцять",
		cldr: uk.New(), commaDecimal: true,
		common:      "я мій моя моє мені мене і в на не з у це живу народився народилася для є ми що та й",
		not:         "не, ні, ніколи, більше не",
		suppose:     "припустімо, припустимо, уявімо, скажімо, уявіть, наприклад, гіпотетично, а що якщо, що якщо",
		conditional: "якщо, у разі",
		ask:         "хто, що, який, яка, яке, які, коли, де, чому, як, скільки, можна, чи",
		yes:         "так, ага, звичайно, вірно, правильно, згоден, згодна, точно, добре, приймаю, саме так, авжеж",
		no:          "ні, не, ніколи, невірно, неправильно, відмовляюся, незгоден",
		doubt: "може бути, можливо, не знаю, мабуть, ймовірно, залежить, якщо, зачекайте, хвилинку, спочатку, " +
			"потім, ще ні, питання",
		self:  "я, мій, моя, моє, мої, мого, моєї, мені, мене, ми, наш, наша",
		other: "він, вона, вони, його, її, їх, їхній, йому, їй",
		people: "дружина, дружини, чоловік, чоловіка, син, сина, дочка, дочки, донька, доньки, дитина, дитини, " +
			"діти, мати, мама, мами, батько, батька, тато, батьки, брат, брата, " +
			"сестра, сестри, друг, друга, подруга, подруги, колега, колеги, начальник, адвокат, лікар, сусід, " +
			"сусідка, бабуся, дідусь",
	},
	{
		code: "tr", numerals: "sıfır bir iki üç dört beş altı yedi sekiz dokuz on",
		cldr: tr.New(), commaDecimal: true,
		common: "benim ben ve bir bu değil için adım ile doğdum oturuyorum evet hayır yaşıyorum var numaram " +
			"adresim",
		not:         "değil, asla, hiçbir",
		suppose:     "diyelim, diyelim ki, varsayalım, farz edelim, mesela, örneğin",
		conditional: "eğer",
		ask:         "kim, ne, hangi, nerede, neden, nasıl, kaç, mı, mi, mu, mü",
		yes:         "evet, tabii, tabii ki, elbette, doğru, kabul ediyorum, tamam, olur, aynen, kesinlikle",
		no:          "hayır, değil, asla, yanlış, kabul etmiyorum, olmaz",
		doubt:       "belki, bilmiyorum, sanırım, galiba, eğer, bekleyin, bir dakika, önce, sonra, soru",
		self:        "ben, benim, biz, bizim, bana",
		other:       "o, onun, onlar, onların",
		people: "eşim, eşimin, karım, karımın, kocam, kocamın, oğlum, oğlumun, kızım, kızımın, çocuğum, çocuğumun, " +
			"annem, annemin, babam, babamın, kardeşim, kardeşimin, " +
			"arkadaşım, arkadaşımın, patronum, avukatım, doktorum, komşum",
	},
})

var english = languages[0]

// prepare compiles the words of languages.
func prepare(list []*language) []*language {
	for _, l := range list {
		l.notSet, l.supposeSet, l.ifSet = newPhrases(l.not), newPhrases(l.suppose), newPhrases(l.conditional)
		l.askSet, l.yesSet, l.noSet = newPhrases(l.ask), newPhrases(l.yes), newPhrases(l.no)
		l.doubtSet, l.selfSet, l.otherSet = newPhrases(l.doubt), newPhrases(l.self), newPhrases(l.other)
		l.peopleSet = newPhrases(l.people)
		l.commonSet, l.numbers = map[string]bool{}, map[string]int{}
		for _, w := range strings.Fields(l.common) {
			l.commonSet[w] = true
		}
		for i, w := range strings.Fields(fold.Text(l.numerals)) {
			l.numbers[w] = i
		}
	}
	return list
}

// months are the names and short forms of the months in all languages, folded, and their numbers.
var months = func() map[string]int {
	out := map[string]int{}
	for _, l := range languages {
		for _, names := range [][]string{l.cldr.MonthsWide(), l.cldr.MonthsAbbreviated(), rules.Months} {
			for i, name := range names {
				addMonth(out, name, i+1)
			}
		}
	}
	addMonth(out, "sept", int(time.September))
	return out
}()

// addMonth adds a name of a month. A name that two languages use for different months is none.
func addMonth(months map[string]int, name string, number int) {
	name = strings.TrimRight(fold.Text(name), ".")
	if known, ok := months[name]; ok && known != number {
		number = 0
	}
	months[name] = number
}

// monthOf returns the number of a month from its name in any of the languages, 0 for other text.
func monthOf(name string) int { return months[strings.TrimRight(name, ".")] }

// guessLanguage returns the language of a text by its small words, English in doubt. Cyrillic letters are Russian
// unless a word is Ukrainian.
func guessLanguage(words []word, text string) *language {
	best, most := english, 0
	for _, l := range languages {
		score := 0
		for _, w := range words {
			if l.commonSet[w.text] {
				score++
			}
		}
		if score > most {
			best, most = l, score
		}
	}
	if strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Cyrillic, r) }) &&
		best.code != "ru" && best.code != "uk" && !strings.ContainsFunc(text, func(r rune) bool {
		return r < 0x80 &&
			unicode.IsLetter(r)
	}) {
		return languageOf("ru")
	}
	return best
}

func languageOf(code string) *language {
	for _, l := range languages {
		if l.code == code {
			return l
		}
	}
	return english
}

// sets returns the phrases of English and of the turn's language.
func (t *turn) sets(pick func(*language) phrases) []phrases {
	if t.language == english {
		return []phrases{pick(english)}
	}
	return []phrases{pick(english), pick(t.language)}
}

// longest returns the number of words of the longest phrase of several sets at the beginning of words.
func longest(sets []phrases, words []word) int {
	n := 0
	for _, s := range sets {
		n = max(n, s.at(words))
	}
	return n
}

// anyWord reports whether a phrase of several sets is in words.
func anyWord(sets []phrases, words []word) bool {
	for i := range words {
		if longest(sets, words[i:]) > 0 {
			return true
		}
	}
	return false
}
