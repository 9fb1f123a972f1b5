package evidence

import (
	"regexp"
	"strings"

	"github.com/contextvault/contextvault/rules/format"
)

var phonePattern = regexp.MustCompile(`\(?\+?\(?\d[\d ().\-/]*\d`)

// phoneMentions finds a phone number with its country code: after + or 00, or as the eleven digits that are usual in
// North America, or as a number of the region. If the last digits may belong to the next words ("2 adults"), the
// shorter grouping is tried as well; two valid ones are a doubt.
func (p passage) phoneMentions(e164, region string) []mention {
	t := p.turn
	var out []mention
	for _, at := range phonePattern.FindAllStringIndex(t.text, -1) {
		// Search the whole turn: a quote could cut off digits of the number.
		if at[0] < p.start || at[0] >= p.end {
			continue
		}
		start := at[0]
		for _, said := range splitPhones(t.text[at[0]:at[1]]) {
			end := start + len(said)
			if t.startsPhone(start) && t.groupedAs(said, end, region) == e164 {
				out = append(out, mention{span: span{start, end}, clear: true})
			}
			start = end
		}
	}
	return out
}

// splitPhones splits digits at a plus sign and at the end of a sentence. The parts together are the text.
func splitPhones(text string) []string {
	var out []string
	from := 0
	for i := 1; i < len(text); i++ {
		if text[i] == '+' || strings.HasPrefix(text[i-1:], ". ") {
			out = append(out, text[from:i])
			from = i
		}
	}
	return append(out, text[from:])
}

// startsPhone reports whether digits at a position are not the rest of a word or code.
func (t *turn) startsPhone(at int) bool {
	return at == 0 || !strings.ContainsAny(t.text[at-1:at], "#@_-/.,") && !isWordByte(t.text[at-1])
}

func isWordByte(c byte) bool { return isDigit(c) || c >= 'a' && c <= 'z' || c >= 0x80 }

// groupedAs returns the number that digits are, in E.164, "" in doubt. end is their end in the turn.
func (t *turn) groupedAs(said string, end int, region string) string {
	full := phoneOf(said, region)
	if !t.countsNext(end) {
		return full
	}
	trimmed := strings.TrimRight(said, " ")
	cut := strings.LastIndexByte(trimmed, ' ')
	if cut < 0 || len(trimmed)-cut-1 > 3 || !isDigits(trimmed[cut+1:]) {
		return full
	}
	short := phoneOf(trimmed[:cut], region)
	if full != "" && short != "" {
		return ""
	}
	return full + short
}

// countsNext reports whether a noun follows a position, which the digits before it may count.
func (t *turn) countsNext(end int) bool {
	rest := t.text[end:]
	if !strings.HasPrefix(rest, " ") {
		return false
	}
	next := t.wordAfter(end)
	return next < len(t.words) && t.words[next].start == end+1 && !smallWords[t.word(next)] && !hasDigit(t.word(next))
}

// smallWords are words that count nothing.
var smallWords = setOf("is please thanks thank and but or if for when it that this my you i in on at to of the a " +
	"with so because ok okay not no yes by as are was call text whatsapp mobile cell home work ext extension " +
	"und bitte danke ist oder et merci est ou y gracias es e grazie è si da")

// phoneOf returns a phone number in E.164, "" if the text is none.
func phoneOf(said, region string) string {
	said = strings.TrimRight(strings.TrimSpace(said), ".,")
	if strings.Count(said, "(") > strings.Count(said, ")") {
		said = strings.TrimPrefix(said, "(") // the bracket opened before the number
	}
	if normal, why := format.Phone(said, region); why == "" {
		return normal
	}
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, said)
	international := ""
	if rest, ok := strings.CutPrefix(digits, "00"); ok {
		international = "+" + rest
	} else if len(digits) == 11 && digits[0] == '1' { // as North America writes it
		international = "+" + digits
	}
	normal, why := format.Phone(international, "")
	if international == "" || why != "" {
		return ""
	}
	return normal
}
