package vault

import "regexp"

// maxPatterns is how many compiled patterns are kept: one of 500 characters takes some 100 KB at worst, most take one.
const maxPatterns = 500

var patterns = newBounded[*regexp.Regexp](maxPatterns)

// compilePattern compiles a definition's regex as RE2.
//
// A pattern is not wrapped in \A(?:…)\z to make it match the whole value: that changes the meaning of a pattern that ends
// within \Q…, and lets one with unbalanced brackets compile. Longest gives the same answer without touching the text.
func compilePattern(expr string) (*regexp.Regexp, error) {
	return patterns.get(expr, func(expr string) (*regexp.Regexp, error) {
		re, err := regexp.Compile(expr)
		if err == nil {
			re.Longest()
		}
		return re, err
	})
}

// matchesWhole reports whether re, which prefers the longest match, matches all of s.
func matchesWhole(re *regexp.Regexp, s string) bool {
	loc := re.FindStringIndex(s)
	return loc != nil && loc[0] == 0 && loc[1] == len(s)
}
