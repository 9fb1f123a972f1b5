package llm

import (
	"regexp"
	"strings"

	"github.com/contextvault/contextvault/vault"
)

// fieldRoots are the variables of an expression that hold facts about the customer. Any other root holds something else.
var fieldRoots = setOf("fields profile customer user field")

// notFields are words of expressions that name no field.
var notFields = setOf(`true false null nil and or not in has size matches contains startswith endswith exists all map filter now today timestamp
	duration int double string bool is if then else when where session scenario fields profile customer user agent tenant`)

var (
	// identifier of an expression, with its path: fields.date_of_birth, fields["email"], age
	identifierPattern = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*|\[\s*["'][A-Za-z_][A-Za-z0-9_]*["']\s*\])*`)
	// a comparison in prose: the identifier, the operator, and what it is compared with
	comparisonPattern = regexp.MustCompile(`([A-Za-z_][A-Za-z0-9_.]*)\s*(>=|<=|==|!=|=>|≥|≤|>|<|=)\s*("[^"]*"|'[^']*'|-?[0-9][0-9.]*|true|false|null|[A-Za-z_][A-Za-z0-9_.]*)`)
	reversedPattern   = regexp.MustCompile(`(-?[0-9][0-9.]*)\s*(>=|<=|==|!=|>|<)\s*([A-Za-z_][A-Za-z0-9_.]*)`)
	membershipPattern = regexp.MustCompile(`([A-Za-z_][A-Za-z0-9_.]*)\s+(in)\s*(\[[^\]]*\])`)
	rootedPattern     = regexp.MustCompile(`\b(?:fields|profile|customer|user)(?:\.[A-Za-z_][A-Za-z0-9_]*|\[\s*["'][A-Za-z_][A-Za-z0-9_]*["']\s*\])+`)
	operatorPattern   = regexp.MustCompile(`>=|<=|==|!=|&&|\|\||>|<|=|\bin\b|!`)
	literalPattern    = regexp.MustCompile(`"[^"]*"|'[^']*'`)
	camelPattern      = regexp.MustCompile(`([a-z0-9])([A-Z])`)
	connectivePattern = regexp.MustCompile(`\b(?:and|or|not|in|AND|OR|NOT|IN)\b`)
	twoWordsPattern   = regexp.MustCompile(`[A-Za-z_]{2,}\s+[A-Za-z_]{2,}`)
)

// expressionMentions finds the fields of the expressions in text. rest is text with the expressions blanked out, so that the
// prose around them keeps its place.
func expressionMentions(text string, condition bool) (found []mention, rest string) {
	if condition && isExpression(text) {
		return wholeExpression(text), blank(text, span{0, len(text)})
	}
	rest = text
	take := func(pattern *regexp.Regexp, name, value int, sure bool) {
		for _, at := range pattern.FindAllStringSubmatchIndex(rest, -1) {
			identifier := rest[at[2*name]:at[2*name+1]]
			m, ok := identifierMention(identifier, rest[at[2*value]:at[2*value+1]])
			if !ok || (!sure && !m.known && !strings.ContainsAny(identifier, "_.")) {
				continue
			}
			if !sure && !m.known && !rooted(identifier) {
				m.confidence = min(m.confidence, unsureNoun) // a variable of the scenario, for all we know
			}
			m.at, m.quote = at[0], text[at[0]:at[1]]
			found = append(found, m)
		}
	}
	take(membershipPattern, 1, 3, condition)
	take(comparisonPattern, 1, 3, condition)
	take(reversedPattern, 3, 1, condition)
	for _, pattern := range []*regexp.Regexp{membershipPattern, comparisonPattern, reversedPattern} {
		for _, at := range pattern.FindAllStringIndex(rest, -1) {
			rest = blank(rest, span{at[0], at[1]})
		}
	}
	for _, at := range rootedPattern.FindAllStringIndex(rest, -1) {
		if m, ok := identifierMention(text[at[0]:at[1]], ""); ok {
			m.at, m.quote = at[0], text[at[0]:at[1]]
			found = append(found, m)
		}
		rest = blank(rest, span{at[0], at[1]})
	}
	return found, rest
}

// isExpression reports whether the whole of text is an expression: identifiers, operators and literals, and never two words
// beside each other.
func isExpression(text string) bool {
	bare := literalPattern.ReplaceAllString(text, "0")
	if !isText(bare) || twoWordsPattern.MatchString(connectivePattern.ReplaceAllString(bare, ",")) {
		return false
	}
	bare = strings.TrimSpace(bare)
	return operatorPattern.MatchString(bare) || rootedPattern.MatchString(bare) || strings.Contains(bare, "_")
}

// wholeExpression finds every field of an expression.
func wholeExpression(text string) []mention {
	bare := literalPattern.ReplaceAllStringFunc(text, func(s string) string {
		if strings.ContainsAny(s, " ") || !vault.NamePattern.MatchString(strings.Trim(s, `"'`)) {
			return strings.Repeat(" ", len(s))
		}
		return s // it may be the key of fields["…"]
	})
	compared := map[string]string{}
	for _, at := range comparisonPattern.FindAllStringSubmatch(text, -1) {
		compared[at[1]] = at[3]
	}
	for _, at := range reversedPattern.FindAllStringSubmatch(text, -1) {
		compared[at[3]] = at[1]
	}
	var found []mention
	for _, at := range identifierPattern.FindAllStringIndex(bare, -1) {
		if at[0] > 0 && strings.ContainsRune(`"'`, rune(bare[at[0]-1])) {
			continue // a string
		}
		identifier := bare[at[0]:at[1]]
		if at[1] < len(bare) && bare[at[1]] == '(' {
			// A method: fields.email.endsWith("…"). A function has no receiver.
			dot := strings.LastIndexByte(identifier, '.')
			if dot < 0 {
				continue
			}
			identifier = identifier[:dot]
		}
		if m, ok := identifierMention(identifier, compared[identifier]); ok {
			m.at, m.quote = at[0], strings.TrimSpace(text)
			found = append(found, m)
		}
	}
	return found
}

// rooted reports whether an identifier says that it is a fact about the customer: fields.x, customer.x.
func rooted(identifier string) bool {
	root, _, ok := strings.Cut(strings.ReplaceAll(identifier, "[", "."), ".")
	return ok && fieldRoots[strings.ToLower(strings.TrimSpace(root))]
}

// identifierMention reads one identifier of an expression and what it is compared with, "" for nothing.
func identifierMention(identifier, value string) (mention, bool) {
	path := strings.FieldsFunc(identifier, func(r rune) bool { return strings.ContainsRune(`.[]"' `, r) })
	sure := rooted(identifier)
	if len(path) > 1 && !sure {
		return mention{}, false
	}
	if sure {
		path = path[1:]
	}
	name := strings.ToLower(camelPattern.ReplaceAllString(path[0], "${1}_$2"))
	if (!sure && notFields[name]) || len(name) < 2 {
		return mention{}, false
	}
	m := mention{confidence: sureExpression}
	if len(path) > 1 && (path[1] == "verified" || path[1] == "is_verified") {
		m.verified = true
	}
	for _, affix := range []string{"_verified", "_is_verified", "_confirmed"} {
		if base, ok := strings.CutSuffix(name, affix); ok && base != "" && base != "is" {
			name, m.verified = base, true
		}
	}
	if base, ok := strings.CutPrefix(name, "verified_"); ok {
		name, m.verified = base, true
	}
	if f, ok := lexicon.find(name); ok {
		m.field, m.known = f, true
		if !sure {
			m.confidence = sureKnown
		}
		return m, true
	}
	switch name {
	case "is_adult", "adult", "is_over_18", "over_18", "of_age", "is_minor":
		m.field, m.known, m.confidence = mustKnow("date_of_birth"), true, unsureNoun
		return m, true
	}
	if len(name) > vault.MaxNameLength || !vault.NamePattern.MatchString(name) {
		return mention{}, false
	}
	m.field = newField(name)
	if t, ok := typeOfLiteral(value); ok && (m.field.typ == tString || t == tBoolean) {
		m.field.typ = t
		m.field.prompt = promptFor(m.field)
	}
	if !sure {
		m.confidence = sureNoun
		if value == "" {
			m.confidence = unsureNoun
		}
	}
	return m, true
}

// typeOfLiteral gives the type of what a field is compared with.
func typeOfLiteral(value string) (vault.ValueType, bool) {
	switch {
	case value == "":
		return "", false
	case value == "true" || value == "false":
		return tBoolean, true
	case value[0] == '-' || (value[0] >= '0' && value[0] <= '9'):
		return tNumber, true
	case value[0] == '"' || value[0] == '\'':
		if isoDate.MatchString(strings.Trim(value, `"'`)) {
			return tDate, true
		}
	}
	return "", false
}

var isoDate = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)

// blank replaces a part of text by blanks, so that everything else keeps its place.
func blank(text string, s span) string {
	return text[:s.start] + strings.Repeat(" ", s.end-s.start) + text[s.end:]
}
