package propose

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/contextvault/contextvault/llm/offline/text"
)

// paragraph is one paragraph or list item of a text. Its span is in the flowed text, which has the same offsets as the
// text itself.
type paragraph struct {
	text.Span

	item bool // of a list
	lead int  // index of the paragraph that introduces the list, -1 for none
}

// bulletPattern matches the mark of a list item: a dash, a dot, a number, a letter, a box.
var bulletPattern = regexp.MustCompile(`^[ \t]*(?:[-–—•·*+▪●○]|\d{1,2}[.)]|[a-z][.)]|\[[ xX]?\])[ \t]+`)

// Limits of the layout.
const (
	wrapColumn   = 60 // a line of at least so many bytes may be wrapped
	maxItemWords = 8  // a line below "Required:" with more words is prose
)

// flow joins wrapped lines: in the result, blanks replace the line ends inside a paragraph.
func flow(content string) (flowed string, paragraphs []paragraph) {
	out := []byte(content)
	open := false // the last paragraph can be continued
	blank := false
	indent := 0
	for start := 0; start < len(content); {
		end := len(content)
		if n := strings.IndexByte(content[start:], '\n'); n >= 0 {
			end = start + n
		}
		line := content[start:end]
		body := strings.TrimSpace(line)
		switch mark := bulletPattern.FindString(line); {
		case body == "":
			open, blank = false, true
		case mark != "":
			paragraphs = append(paragraphs, newParagraph(paragraphs, content, start+len(mark), end, true))
			open, blank, indent = true, false, len(mark)
		case open && !blank && continues(paragraphs[len(paragraphs)-1], content, line, body, indent):
			last := &paragraphs[len(paragraphs)-1]
			for i := last.End; i < start; i++ {
				if out[i] == '\n' || out[i] == '\r' {
					out[i] = ' '
				}
			}
			last.End = start + len(strings.TrimRightFunc(line, unicode.IsSpace))
		default:
			item := !blank && isItemLine(paragraphs, content, body)
			paragraphs = append(paragraphs, newParagraph(paragraphs, content, start, end, item))
			open, blank, indent = true, false, 0
		}
		start = end + 1
	}
	return string(out), paragraphs
}

func newParagraph(before []paragraph, content string, start, end int, item bool) paragraph {
	line := content[start:end]
	start += len(line) - len(strings.TrimLeftFunc(line, unicode.IsSpace))
	p := paragraph{Span: text.Span{Start: start, End: max(start, end-trailing(line))}, item: item, lead: -1}
	if item && len(before) > 0 {
		if last := before[len(before)-1]; last.item {
			p.lead = last.lead
		} else {
			p.lead = len(before) - 1
		}
	}
	return p
}

func trailing(line string) int { return len(line) - len(strings.TrimRightFunc(line, unicode.IsSpace)) }

// continues reports whether line continues the paragraph p.
func continues(p paragraph, content, line, body string, indent int) bool {
	before := p.In(content)
	if strings.HasSuffix(before, ":") {
		return false
	}
	first, _ := utf8.DecodeRuneInString(body)
	ended := strings.HasSuffix(before, ".") || strings.HasSuffix(before, "!") || strings.HasSuffix(before, "?") ||
		strings.HasSuffix(before, ";")
	switch {
	case p.item:
		return strings.HasPrefix(line, strings.Repeat(" ", max(1, min(indent, 2)))) || (unicode.IsLower(first) && !ended)
	case ended:
		return len(before) >= wrapColumn
	case startsRule(body) && startsRule(strings.TrimSpace(content[lineStart(content, p.End):p.End])) &&
		!strings.HasSuffix(before, ","):
		return false // one condition a line
	case unicode.IsLower(first) || unicode.IsDigit(first):
		return true
	case unicode.IsUpper(first) && startsSentence(body) && !strings.HasSuffix(before, ","):
		return false
	default:
		at := strings.LastIndexByte(content[:p.End], '\n') + 1
		return p.End-at >= wrapColumn
	}
}

// isItemLine reports whether a line without a mark is an item of a list: it is short, not a sentence, and follows a
// line that ends with a colon, or another such item.
func isItemLine(before []paragraph, content, body string) bool {
	if len(before) == 0 || len(strings.Fields(body)) > maxItemWords || strings.ContainsAny(body, ":") ||
		strings.HasSuffix(body, ".") || strings.HasSuffix(body, "?") {
		return false
	}
	last := before[len(before)-1]
	if last.item {
		return last.lead >= 0 && !bulletPattern.MatchString(content[lineStart(content, last.Start):])
	}
	return strings.HasSuffix(last.In(content), ":")
}

func lineStart(content string, at int) int { return strings.LastIndexByte(content[:at], '\n') + 1 }

// startsRule reports whether a line starts with a condition.
func startsRule(line string) bool {
	first, _, _ := strings.Cut(strings.ToLower(line), " ")
	return subordinators[first]
}

// startsSentence reports whether a line starts with a capital word that is no name, and which therefore starts a
// sentence: "We", "The", "Ask", "Do".
func startsSentence(line string) bool {
	first, _, _ := strings.Cut(strings.ToLower(line), " ")
	return first != "i" && (agents[first] || determiners[first] || owners[first] || negators[first] ||
		subordinators[first] || askingVerbs[first] || first == "do" || first == "they" || first == "please" ||
		first == "you" || first == "otherwise" || first == "only")
}
