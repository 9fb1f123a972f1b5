package propose

import (
	"regexp"
	"strings"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/llm/offline/text"
	"github.com/contextvault/contextvault/vault"
)

// customerRoots are the variables of an expression that contain facts about the customer. Other variables contain other
// things.
var customerRoots = text.NewWordSet("fields profile customer user field")

// nonFields are words of an expression that do not name a definition.
var nonFields = text.NewWordSet(`true false null nil and or not in has size matches contains startswith endswith
	exists all map filter now today timestamp duration int double string bool is if then else when where session
	scenario fields profile customer user agent tenant`)

var (
	// identifierPattern matches an identifier with its path: fields.date_of_birth, fields["email"], age.
	identifierPattern = regexp.MustCompile(
		`[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*|\[\s*["'][A-Za-z_][A-Za-z0-9_]*["']\s*\])*`,
	)
	// comparisonPattern matches a comparison in prose: identifier, operator, operand.
	comparisonPattern = regexp.MustCompile(
		`([A-Za-z_][A-Za-z0-9_.]*)\s*(>=|<=|==|!=|=>|≥|≤|>|<|=)\s*("[^"]*"|'[^']*'|-?[0-9][0-9.]*|true|false|null` +
			`|[A-Za-z_][A-Za-z0-9_.]*)`,
	)
	reversedPattern   = regexp.MustCompile(`(-?[0-9][0-9.]*)\s*(>=|<=|==|!=|>|<)\s*([A-Za-z_][A-Za-z0-9_.]*)`)
	membershipPattern = regexp.MustCompile(`([A-Za-z_][A-Za-z0-9_.]*)\s+(in)\s*(\[[^\]]*\])`)
	rootedPattern     = regexp.MustCompile(
		`\b(?:fields|profile|customer|user)(?:\.[A-Za-z_][A-Za-z0-9_]*|\[\s*["'][A-Za-z_][A-Za-z0-9_]*["']\s*\])+`,
	)
	operatorPattern   = regexp.MustCompile(`>=|<=|==|!=|&&|\|\||>|<|=|\bin\b|!`)
	literalPattern    = regexp.MustCompile(`"[^"]*"|'[^']*'`)
	camelPattern      = regexp.MustCompile(`([a-z0-9])([A-Z])`)
	connectivePattern = regexp.MustCompile(`\b(?:and|or|not|in|AND|OR|NOT|IN)\b`)
	twoWordsPattern   = regexp.MustCompile(`[A-Za-z_]{2,}\s+[A-Za-z_]{2,}`)
)

// expressionMentions finds the definitions in the expressions of a text. In rest, blanks replace the expressions, so
// that all offsets stay valid.
func expressionMentions(content string, condition bool) (found []mention, rest string) {
	if condition && isExpression(content) {
		return wholeExpression(content), blankOut(content, text.Span{Start: 0, End: len(content)})
	}
	rest = content
	take := func(pattern *regexp.Regexp, name, value int, sure bool) {
		for _, at := range pattern.FindAllStringSubmatchIndex(rest, -1) {
			identifier := rest[at[2*name]:at[2*name+1]]
			m, ok := identifierMention(identifier, rest[at[2*value]:at[2*value+1]])
			if !ok || (!sure && !m.known && !strings.ContainsAny(identifier, "_.")) {
				continue
			}
			if !sure && !m.known && !isCustomerPath(identifier) {
				m.confidence = min(m.confidence, confidenceOtherNoun) // it may be a variable of the scenario
			}
			m.offset, m.quote = at[0], content[at[0]:at[1]]
			if pattern == comparisonPattern && strings.HasPrefix(m.quote, identifier) {
				m.comparison = celComparison(strings.TrimSpace(m.quote[len(identifier):]))
			}
			found = append(found, m)
		}
	}
	take(membershipPattern, 1, 3, condition)
	take(comparisonPattern, 1, 3, condition)
	take(reversedPattern, 3, 1, condition)
	for _, pattern := range []*regexp.Regexp{membershipPattern, comparisonPattern, reversedPattern} {
		for _, at := range pattern.FindAllStringIndex(rest, -1) {
			rest = blankOut(rest, text.Span{Start: at[0], End: at[1]})
		}
	}
	for _, at := range rootedPattern.FindAllStringIndex(rest, -1) {
		if m, ok := identifierMention(content[at[0]:at[1]], ""); ok {
			m.offset, m.quote = at[0], content[at[0]:at[1]]
			found = append(found, m)
		}
		rest = blankOut(rest, text.Span{Start: at[0], End: at[1]})
	}
	return found, rest
}

// isExpression reports whether the whole text is an expression: identifiers, operators and literals, without two
// adjacent words.
func isExpression(content string) bool {
	bare := literalPattern.ReplaceAllString(content, "0")
	if !llm.HasText(bare) || twoWordsPattern.MatchString(connectivePattern.ReplaceAllString(bare, ",")) {
		return false
	}
	bare = strings.TrimSpace(bare)
	return operatorPattern.MatchString(bare) || rootedPattern.MatchString(bare) || strings.Contains(bare, "_")
}

// wholeExpression finds every definition in an expression.
func wholeExpression(content string) []mention {
	bare := literalPattern.ReplaceAllStringFunc(content, func(s string) string {
		if strings.ContainsAny(s, " ") || !vault.NamePattern.MatchString(strings.Trim(s, `"'`)) {
			return strings.Repeat(" ", len(s))
		}
		return s // it may be the key of fields["…"]
	})
	compared := map[string]string{}
	for _, at := range comparisonPattern.FindAllStringSubmatch(content, -1) {
		compared[at[1]] = at[3]
	}
	for _, at := range reversedPattern.FindAllStringSubmatch(content, -1) {
		compared[at[3]] = at[1]
	}
	var found []mention
	for _, at := range identifierPattern.FindAllStringIndex(bare, -1) {
		if at[0] > 0 && strings.ContainsRune(`"'`, rune(bare[at[0]-1])) {
			continue // a string
		}
		identifier := bare[at[0]:at[1]]
		if at[1] < len(bare) && bare[at[1]] == '(' {
			// A method has a receiver, a function has none: fields.email.endsWith("…").
			dot := strings.LastIndexByte(identifier, '.')
			if dot < 0 {
				continue
			}
			identifier = identifier[:dot]
		}
		if m, ok := identifierMention(identifier, compared[identifier]); ok {
			m.offset, m.quote = at[0], strings.TrimSpace(content)
			found = append(found, m)
		}
	}
	return found
}

// isCustomerPath reports whether an identifier starts with one of customerRoots: fields.x, customer.x.
func isCustomerPath(identifier string) bool {
	root, _, ok := strings.Cut(strings.ReplaceAll(identifier, "[", "."), ".")
	return ok && customerRoots[strings.ToLower(strings.TrimSpace(root))]
}

// identifierMention reads an identifier and the operand it is compared with, "" for none.
func identifierMention(identifier, value string) (mention, bool) {
	path := strings.FieldsFunc(identifier, func(r rune) bool { return strings.ContainsRune(`.[]"' `, r) })
	sure := isCustomerPath(identifier)
	if len(path) > 1 && !sure {
		return mention{}, false
	}
	if sure {
		path = path[1:]
	}
	if len(path) == 0 || strings.Trim(path[0], "_") == "" {
		return mention{}, false // no name: fields[""], __
	}
	name := strings.ToLower(camelPattern.ReplaceAllString(path[0], "${1}_$2"))
	if (!sure && nonFields[name]) || len(name) < 2 {
		return mention{}, false
	}
	m := mention{confidence: confidenceExpression}
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
	if f, ok := text.Lexicon.Find(name); ok {
		m.definition, m.known = f, true
		if !sure {
			m.confidence = confidenceKnown
		}
		return m, true
	}
	switch name {
	case "is_adult", "adult", "is_over_18", "over_18", "of_age", "is_minor":
		m.definition, m.known, m.confidence = text.MustFind("date_of_birth"), true, confidenceOtherNoun
		return m, true
	}
	if len(name) > vault.MaxNameLength || !vault.NamePattern.MatchString(name) {
		return mention{}, false
	}
	m.definition = newDefinition(name)
	if t, ok := typeOfLiteral(value); ok && (m.definition.Type == vault.TypeString || t == vault.TypeBoolean) {
		m.definition.Type = t
		m.definition.Prompt = promptFor(m.definition)
	}
	if !sure {
		m.confidence = confidenceDataNoun
		if value == "" {
			m.confidence = confidenceOtherNoun
		}
	}
	return m, true
}

// typeOfLiteral returns the value type of a literal, and false if it does not determine one.
func typeOfLiteral(value string) (vault.ValueType, bool) {
	switch {
	case value == "":
		return "", false
	case value == "true" || value == "false":
		return vault.TypeBoolean, true
	case value[0] == '-' || (value[0] >= '0' && value[0] <= '9'):
		return vault.TypeNumber, true
	case value[0] == '"' || value[0] == '\'':
		if isoDate.MatchString(strings.Trim(value, `"'`)) {
			return vault.TypeDate, true
		}
	}
	return "", false
}

var isoDate = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)

// blankOut replaces s by blanks.
func blankOut(content string, s text.Span) string {
	return content[:s.Start] + strings.Repeat(" ", s.End-s.Start) + content[s.End:]
}

// celComparison writes an operator and its operand in CEL.
func celComparison(s string) string {
	for from, to := range map[string]string{"=>": ">=", "≥": ">=", "≤": "<="} {
		if rest, ok := strings.CutPrefix(s, from); ok {
			return to + rest
		}
	}
	if rest, ok := strings.CutPrefix(s, "="); ok && !strings.HasPrefix(rest, "=") {
		return "==" + rest
	}
	return s
}
