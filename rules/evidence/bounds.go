package evidence

import (
	"regexp"
	"slices"
	"strings"

	"github.com/contextvault/contextvault/vault"
)

var (
	lowerBefore = regexp.MustCompile(`(?:^|[ (,])(?:after|from|since|at least|more than|over|above|exceeding|greater ` +
		`than|older than|later than|no earlier than|` +
		`not before|no less than|not less than|no fewer than|minimum(?: of)?|min\.?|starting(?: from| at| on)?|` +
		`beginning(?: on)?|as of|upwards of|just over|past|>=?)(?: (?:the|my|a|about)){0,2} ?[$€£]?$`)
	lowerAbroad = regexp.MustCompile(`(?:^|[ (,])(?:ab|nach|mindestens|mehr als|über|seit|après|à partir du?|au ` +
		`moins|plus de|depuis|después de(?:l)?|a partir de(?:l)?|al menos|más de|desde(?: el)?|` +
		`dopo(?: il)?|a partire dal?|almeno|più di|depois de|pelo menos|mais de|vanaf|na|minstens|meer dan|po|od|co ` +
		`najmniej|ponad|więcej niż|după|cel puțin|peste|` +
		`после|не менее|больше|от|після|щонайменше|більше)(?: (?:the|my|a|about|el|il|le|dem|den|der)){0,2} ?[$€£]?$`)
	upperBefore = regexp.MustCompile(`(?:^|[ (,])(?:before|until|till|by|at most|less than|under|below|fewer than|` +
		`younger than|earlier than|no later than|not after|` +
		`no more than|not more than|not over|maximum(?: of)?|max\.?|up to|within|almost|nearly|just under|not quite|` +
		`close to|<=?)(?: (?:the|my|a|about)){0,2} ?[$€£]?$`)
	upperAbroad = regexp.MustCompile(`(?:^|[ (,])(?:vor|bis(?: zum)?|höchstens|weniger als|unter|maximal|avant(?: ` +
		`le)?|jusqu'(?:à|au)|moins de|au plus|maximum|antes de(?:l)?|hasta(?: el)?|menos de|como máximo|` +
		`prima del?|entro(?: il)?|fino a(?:l)?|meno di|al massimo|até|no máximo|vóór|voor|tot|minder dan|hoogstens|` +
		`przed|do|mniej niż|najwyżej|poniżej|` +
		`înainte de|până la|mai puțin de|cel mult|sub|до|менее|не более|меньше|перед|менше|не більше)(?: (?:the|my|a|` +
		`about|el|il|le|dem|den|der)){0,2} ?[$€£]?$`)
	lowerAfter = regexp.MustCompile(`^(?:\+|(?: ?[\pL€$£%]+)? ?(?:or|oder|ou|o|of|lub|sau|или|або) (?:more|later|` +
		`over|above|older|higher|after|mehr|später|plus|más|più|mais|meer|więcej|больше)\b|` +
		`,? (?:and (?:up|over|above|later)|onwards?|minimum|at least|at the earliest|plus)\b)`)
	upperAfter = regexp.MustCompile(`^(?:(?: ?[\pL€$£%]+)? ?(?:or|oder|ou|o|of|lub|sau|или|або) (?:less|earlier|` +
		`under|below|younger|fewer|before|weniger|früher|moins|menos|meno|minder|mniej|меньше)\b|` +
		`(?: [\pL€$£%]+)?,? (?:and (?:under|below)|max(?:imum)?|at most|at the latest|tops)\b)`)
)

// bounded refuses a number, a date or a time that is a bound, one end of a range, one of alternatives, or one part
// of a
// sum. The bound of a field that is itself a bound is its value.
func (r reader) bounded(t *turn, m mention) problem {
	const bound = "the customer names a bound and not the value"
	if r.alternative(t, m) {
		return "the customer names alternatives and not one of them"
	}
	switch r.def.ValueType {
	case vault.TypeNumber, vault.TypeDate, vault.TypeDatetime:
	default:
		return ""
	}
	begin := min(t.sentences[t.sentenceAt(m.start)].start, m.start)
	before, after := t.text[begin:m.start], t.text[m.end:]
	if (lowerBefore.MatchString(before) || t.language != english && lowerAbroad.MatchString(before)) &&
		!r.begins() && !r.isBound("min", "minimum", "least", "lower", "over") ||
		lowerAfter.MatchString(after) && !r.isBound("min", "minimum", "least", "lower", "earliest") {
		return bound
	}
	if (upperBefore.MatchString(before) || t.language != english && upperAbroad.MatchString(before)) &&
		!r.ends() && !r.isBound("max", "maximum", "most", "limit", "by", "due", "upper", "before", "under") ||
		upperAfter.MatchString(after) && !r.isBound("max", "maximum", "most", "limit", "upper", "latest", "deadline") {
		return bound
	}
	if !r.begins() && !r.ends() && r.inRange(t, m) {
		return "the customer names a range and not the value"
	}
	if r.def.ValueType == vault.TypeNumber && r.inSum(t, m) {
		return "the number counts only a part of what the customer names"
	}
	return ""
}

// begins and ends report whether the field is the first or the last day or time of something, as its words say. Then
// "from the 3rd" and "until the 10th" name its value.
func (r reader) begins() bool {
	return r.isBound("start", "since", "from", "begin", "earliest", "after") || r.isDay("starts", "begins", "beginning",
		"arrival", "arrive", "checkin", "in", "pickup", "first")
}

func (r reader) ends() bool {
	return r.isBound("end", "until", "deadline", "latest") || r.isDay("ends", "checkout", "out", "leave", "leaving",
		"return", "expiry", "expires", "expiration", "last", "dropoff")
}

// isDay reports whether the field is a day or a time with one of these words in its name.
func (r reader) isDay(words ...string) bool {
	return r.def.ValueType != vault.TypeNumber &&
		slices.ContainsFunc(allWords(splitName(r.def.Name)+" "+r.def.DisplayName),
			func(w string) bool { return slices.Contains(words, w) })
}

// isBound reports whether the field is a bound itself, by the words of its name, label and description.
func (r reader) isBound(words ...string) bool {
	return slices.ContainsFunc(append(append([]string{}, r.topic.names...), allWords(
		r.def.Name+" "+splitName(r.def.Name)+" "+r.def.Description)...), func(w string) bool {
		return slices.Contains(words, w)
	})
}

// rangeWords connect the two ends of a range.
var rangeWords = newPhrases("to, and, or, till, until, through, thru, bis, und, oder, à, et, ou, a, y, o, al, e, " +
	"ed, até, tot, en, of, do, i, lub, la, și, sau, до, и, или, по, і, або, ile, ve, veya, between, entre")

// inRange reports whether another number or date stands beside a mention, joined by "to", "or" or a dash.
func (r reader) inRange(t *turn, m mention) bool {
	for _, s := range append(r.forms(t), t.bareNumbers()...) {
		if s.overlaps(m.span) || s.start >= m.start && s.end <= m.end {
			continue
		}
		from, to := s.end, m.start
		if s.start > m.start {
			from, to = m.end, s.start
		}
		if from > to || to-from > maxRangeGap {
			continue
		}
		if r.joinsRange(t, from, to) {
			return true
		}
	}
	return false
}

// maxRangeGap is the number of bytes between the ends of a range: a unit or a month, a currency, and "to".
const maxRangeGap = 24

// bareNumbers returns the numbers in digits that are not dates.
func (t *turn) bareNumbers() []span {
	var out []span
	for _, w := range t.words {
		if isDigit(w.text[0]) {
			out = append(out, w.span)
		} else if n, ok := numberWord(w.text, t.language); ok && n > 1 {
			out = append(out, w.span)
		}
	}
	return out
}

// joinsRange reports whether the text between two numbers makes them a range: "to", "or", a dash, with at most a unit
// before it. "and" does so only after "between".
func (r reader) joinsRange(t *turn, from, to int) bool {
	text := t.text[from:to]
	if trimmed := strings.Trim(text, " $€£"); trimmed == "-" || trimmed == "/" || trimmed == "..." || trimmed == "--" {
		return true
	}
	if strings.ContainsAny(text, ".;!?:") {
		return false
	}
	words := wordsOf(text, from)
	if len(words) == 0 || len(words) > 2 || rangeWords.at(words[len(words)-1:]) == 0 {
		return false
	}
	switch last := words[len(words)-1].text; last {
	case "to", "or", "till", "until", "through", "thru", "bis", "oder", "à", "ou", "o", "al", "até", "tot", "of", "do",
		"lub", "sau", "до", "или", "по", "або", "ile", "veya":
		return len(words) == 1 || !verbs.anyIn(words[:1])
	case "a", "la":
		return len(words) == 1 && t.language != english
	default:
		before := t.text[:from]
		return strings.Contains(tail(before, maxRangeGap+20), "between") ||
			strings.Contains(tail(before, maxRangeGap+20), "zwischen") ||
			strings.Contains(tail(before, maxRangeGap+20), "entre") || strings.Contains(tail(before, maxRangeGap+20), "tra ") ||
			strings.Contains(tail(before, maxRangeGap+20), "tussen") ||
			strings.Contains(tail(before, maxRangeGap+20), "między") ||
			strings.Contains(tail(before, maxRangeGap+20), "între") ||
			strings.Contains(tail(before, maxRangeGap+20), "между") ||
			strings.Contains(tail(before, maxRangeGap+20), "між")
	}
}

// alternative reports whether a choice or a text is one of two that the customer names with "or".
func (r reader) alternative(t *turn, m mention) bool {
	if r.def.ValueType != vault.TypeString || len(r.def.AllowedValues) == 0 {
		return false
	}
	for _, s := range r.forms(t) {
		if s.overlaps(m.span) {
			continue
		}
		from, to := s.end, m.start
		if s.start > m.start {
			from, to = m.end, s.start
		}
		if from > to || to-from > maxRangeGap {
			continue
		}
		words := wordsOf(t.text[from:to], from)
		for _, w := range words {
			switch w.text {
			case "or", "oder", "ou", "o", "of", "lub", "sau", "или", "або", "veya":
				return true
			}
		}
		if strings.Trim(t.text[from:to], " ") == "/" {
			return true
		}
	}
	return false
}

// inSum reports whether a number counts one kind and another number a second kind of the same: "2 adults and 3
// children". A field that counts the first kind has its noun in its words.
func (r reader) inSum(t *turn, m mention) bool {
	last := t.wordBefore(m.end)
	noun := t.word(last + 1)
	if noun == "" || !t.adjoins(last, last+1) || smallWords[noun] || hasDigit(noun) || r.topic.has(noun) {
		return false
	}
	at := t.sentenceAt(m.start)
	for _, s := range append(r.forms(t), t.bareNumbers()...) {
		if s.overlaps(m.span) || t.sentenceAt(s.start) != at {
			continue
		}
		other := t.wordBefore(s.end)
		next := t.word(other + 1)
		if next == "" || !t.adjoins(other, other+1) || smallWords[next] || sameStem(next, noun) || hasDigit(next) ||
			!isMember(noun) || !isMember(next) {
			continue
		}
		from, to := min(s.end, m.end), max(s.start, m.start)
		if between := wordsOf(t.text[from:to], from); len(between) > 0 && len(between) <= 4 && sums.anyIn(between) {
			return true
		}
	}
	return false
}

var sums = newPhrases("and, plus, with, und, et, y, e, en, i, și, и, та, ve")

func isMember(noun string) bool { return members[noun] || members[strings.TrimSuffix(noun, "s")] }

// members are kinds of people, of which several make a party.
var members = setOf("adult child children kid infant baby babies toddler senior teenager teen student man men woman " +
	"women boy girl guest person people " +
	"erwachsene kinder kind adulte enfant adultos niños adulti bambini adultos crianças volwassenen kinderen " +
	"dorosłych dzieci adulți copii взрослых детей дорослих дітей passenger member")
