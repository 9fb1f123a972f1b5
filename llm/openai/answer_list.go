package openai

import (
	"encoding/json"
	"regexp"
	"strings"
)

// Limits of the search for entries. With them its time is proportional to the size of the answer.
const (
	maxLists      = 16       // lists that are read in one answer
	maxEntryBytes = 64 << 10 // of one entry; a value has at most as much
)

// entryList is a list of entries as it was written in an answer.
type entryList struct {
	entries []string // the text of each entry, valid JSON or not
	cut     bool     // the answer ends before the list
	more    bool     // the list has more than maxEntries entries
}

// thoughts matches the tags around the thoughts that some models write into their answer.
var (
	thoughtsOpen  = regexp.MustCompile(`(?i)^(?:<|\[|◁)(?:think|thinking|thought|thoughts|reasoning|analysis)(?:>|\]|▷)`)
	thoughtsClose = regexp.MustCompile(`(?i)(?:<|\[|◁)/(?:think|thinking|thought|thoughts|reasoning|analysis)(?:>|\]|▷)`)
)

// withoutThoughts returns the answer without the thoughts before it: a draft in them is no answer. Thoughts that do not
// end leave nothing. The opening tag can be missing, because some servers remove it.
func withoutThoughts(schema answerSchema, answer string) string {
	for {
		answer = strings.TrimSpace(strings.TrimPrefix(answer, "\ufeff"))
		end := thoughtsClose.FindStringIndex(answer)
		switch opened := thoughtsOpen.MatchString(answer); {
		case opened && end == nil:
			return ""
		case end == nil:
			return answer
		case !opened && !schema.listStart.MatchString(answer[end[1]:]):
			return answer // the tag is part of a quote
		case !opened && json.Valid([]byte(answer)):
			return answer // as above
		}
		answer = answer[end[1]:]
	}
}

// findLists returns the lists of entries in text, in order: the lists under the schema's key, whatever is around them;
// without one, a list or a sequence of entries without the object around it.
func findLists(schema answerSchema, text string) []entryList {
	var lists []entryList
	for at := 0; len(lists) < maxLists; {
		start := schema.listStart.FindStringIndex(text[at:])
		if start == nil {
			break
		}
		at += start[1]
		if text[at-1] != '[' { // null
			lists = append(lists, entryList{})
			continue
		}
		list, end := scanList(text[at:], false)
		lists = append(lists, list)
		at += end
	}
	if len(lists) > 0 {
		return lists
	}
	if bare := strings.TrimSpace(withoutFence(text)); strings.HasPrefix(bare, "[") {
		list, _ := scanList(bare[1:], false)
		return []entryList{list}
	}
	if start := schema.entryStart.FindStringIndex(text); start != nil {
		list, _ := scanList(text[start[0]:], true)
		return []entryList{list}
	}
	return nil
}

var fence = regexp.MustCompile("^\\s*```[a-zA-Z]*")

// withoutFence removes the opening line of a code fence.
func withoutFence(text string) string { return fence.ReplaceAllString(text, "") }

// entryBoundary matches the start of an object after a comma or a bracket.
var entryBoundary = regexp.MustCompile(`[,}\]]\s*(\{)\s*"`)

// scanList returns the entries at the start of text, and the position after the list. A list without brackets (bare)
// ends at the first text that is no object.
func scanList(text string, bare bool) (list entryList, end int) {
	for at := 0; ; {
		for at < len(text) && strings.IndexByte(" \t\r\n,", text[at]) >= 0 {
			at++
		}
		switch {
		case at == len(text):
			list.cut = !bare
			return list, at
		case text[at] == ']' || (bare && text[at] != '{'):
			return list, min(at+1, len(text))
		case text[at] == '}': // one brace too many
			at++
			continue
		case len(list.entries) == maxEntries:
			list.more = true
			return list, len(text)
		}
		size, complete := scanValue(text[at:])
		if !complete || (text[at] == '{' && !json.Valid([]byte(text[at:at+size]))) {
			// A bracket or quotation mark too many or too few misplaces the end. The next object can be an entry.
			boundary := entryBoundary.FindStringSubmatchIndex(text[at+1:])
			switch {
			case boundary != nil && (!complete || boundary[2]+1 < size):
				size = boundary[2] + 1
			case !complete:
				list.cut = true
				return list, len(text)
			}
		}
		list.entries = append(list.entries, strings.TrimRight(text[at:at+size], ", \t\r\n"))
		at += size
	}
}

// scanValue returns the size of the JSON value at the start of text. It pairs brackets and quotation marks and checks
// nothing else; a bracket of the wrong kind ends the value. complete is false if the value does not end within text or
// maxEntryBytes.
func scanValue(text string) (size int, complete bool) {
	text = text[:min(len(text), maxEntryBytes)]
	var open []byte // the brackets that will close
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
			if !quoted && len(open) == 0 {
				return i + 1, true
			}
		case quoted:
		case c == '{' || c == '[':
			open = append(open, c+2) // the closing bracket of ASCII
		case c == '}' || c == ']':
			if len(open) == 0 {
				return i, true // the end of the list
			}
			if len(open) == 1 || c != open[len(open)-1] {
				return i + 1, true
			}
			open = open[:len(open)-1]
		case len(open) == 0 && (c == ',' || c == '\n'):
			return i, true
		}
	}
	return len(text), false
}
