package rules

import (
	"regexp"

	lru "github.com/hashicorp/golang-lru/v2"
)

// maxPatterns is the number of compiled patterns in the cache. An agent has a few dozen.
const maxPatterns = 500

var patterns = newCache[*regexp.Regexp](maxPatterns)

// newCache returns an LRU cache for compiled expressions, which are expensive to create.
func newCache[V any](size int) *lru.Cache[string, V] {
	c, err := lru.New[string, V](size)
	if err != nil {
		panic(err) // the size is not positive, a bug in the caller
	}
	return c
}

// cached returns the entry for key, or builds and stores it. Errors are not stored.
func cached[V any](c *lru.Cache[string, V], key string, build func(string) (V, error)) (V, error) {
	if v, ok := c.Get(key); ok {
		return v, nil
	}
	v, err := build(key)
	if err == nil {
		c.Add(key, v)
	}
	return v, err
}

// compilePattern compiles a definition's regex as RE2.
//
// The regex is not wrapped in \A(?:…)\z to match the whole value. That would change a regex that ends within \Q…, and
// would accept one with unbalanced brackets. Longest gives the same result without a change to the text.
func compilePattern(expr string) (*regexp.Regexp, error) {
	return cached(patterns, expr, func(expr string) (*regexp.Regexp, error) {
		re, err := regexp.Compile(expr)
		if err == nil {
			re.Longest()
		}
		return re, err
	})
}

// matchesWhole reports whether re matches all of s. re must prefer the longest match.
func matchesWhole(re *regexp.Regexp, s string) bool {
	loc := re.FindStringIndex(s)
	return loc != nil && loc[0] == 0 && loc[1] == len(s)
}
