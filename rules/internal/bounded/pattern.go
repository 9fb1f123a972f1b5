// Package bounded compiles and evaluates what tenants write, regular expressions and conditions, within limits of time
// and memory.
package bounded

import (
	"fmt"
	"regexp"
	"regexp/syntax"

	"github.com/contextvault/contextvault/vault"
)

// Pattern is a compiled regular expression of limited size.
type Pattern struct {
	*regexp.Regexp

	size patternSize
}

// patternSize is the size of a compiled pattern.
type patternSize struct {
	instructions int // of the program; a match takes at most one step per instruction and byte of the text
	ranges       int // runes in the character classes, 2 per range
}

// bytes returns the approximate memory of a compiled pattern: an instruction takes 40 bytes, twice if the pattern is
// also compiled for matching in one pass.
func (s patternSize) bytes() int { return 1000 + 100*s.instructions + 8*s.ranges }

// Steps returns the maximum number of steps of a match against a text of n bytes.
func (p Pattern) Steps(n int) int { return p.size.instructions * (n + 1) }

// MaxText returns the maximum length of a text that is matched, in bytes.
func (p Pattern) MaxText() int { return vault.MaxRegexSteps/p.size.instructions - 1 }

// TooLong reports whether a match against a text could take more than vault.MaxRegexSteps.
func (p Pattern) TooLong(s string) bool { return p.Steps(len(s)) > vault.MaxRegexSteps }

// MatchesWhole reports whether the pattern matches all of s. Check TooLong first.
func (p Pattern) MatchesWhole(s string) bool {
	loc := p.FindStringIndex(s)
	return loc != nil && loc[0] == 0 && loc[1] == len(s)
}

// Compile compiles a definition's regex as RE2. It returns an error for one that is not valid or exceeds
// vault.MaxRegexLength or vault.MaxRegexInstructions.
//
// The regex is not wrapped in \A(?:…)\z to match the whole value. That would change a regex that ends within \Q…, and
// would accept one with unbalanced brackets. Longest gives the same result without a change to the text.
func Compile(expr string) (Pattern, error) {
	if p, ok := patterns.get(expr); ok {
		return p, nil
	}
	p, err := build(expr)
	if err == nil {
		patterns.add(expr, p)
	}
	return p, err
}

func build(expr string) (Pattern, error) {
	if len(expr) > vault.MaxRegexLength*4 { // bytes; the validate tags count characters
		return Pattern{}, fmt.Errorf("is longer than %d characters", vault.MaxRegexLength)
	}
	parsed, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return Pattern{}, fmt.Errorf("is not a regular expression in RE2 syntax: %w", err)
	}
	size := sizeOf(parsed)
	if size.instructions > vault.MaxRegexInstructions {
		return Pattern{}, fmt.Errorf("is too large: with its repetitions written out it has more than %d parts; "+
			"use smaller numbers in {…}", vault.MaxRegexInstructions)
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		return Pattern{}, fmt.Errorf("is not a regular expression in RE2 syntax: %w", err)
	}
	re.Longest()
	return Pattern{Regexp: re, size: size}, nil
}

// sizeOf returns an upper bound of the size of the compiled form of a parsed pattern. It follows package syntax, which
// writes out repetitions, and does not build the program: that takes hundreds of megabytes for some patterns.
func sizeOf(re *syntax.Regexp) patternSize {
	s := sizeBelow(re)
	s.instructions += 2 // the start and the match
	return s
}

func sizeBelow(re *syntax.Regexp) patternSize {
	var s patternSize
	for _, sub := range re.Sub {
		below := sizeBelow(sub)
		s.instructions = min(s.instructions+below.instructions, tooManyInstructions)
		s.ranges += below.ranges
	}
	switch re.Op {
	case syntax.OpLiteral:
		s.instructions += len(re.Rune)
	case syntax.OpCharClass:
		s.instructions++
		s.ranges += len(re.Rune)
	case syntax.OpCapture:
		s.instructions += 2
	case syntax.OpAlternate:
		s.instructions += len(re.Sub)
	case syntax.OpStar: // (x+)? if x can be empty
		s.instructions += 2
	case syntax.OpRepeat: // x{2,} is written as xx+, x{2,4} as xx(x(x)?)?
		optional := 2
		if re.Max >= 0 {
			optional = re.Max - re.Min
		}
		s.instructions = min(s.instructions*max(1, re.Min, re.Max)+optional+1, tooManyInstructions)
	default: // an option, an assertion, a single character; nothing for a concatenation
		s.instructions++
	}
	return s
}

// tooManyInstructions stops the count before it overflows.
const tooManyInstructions = 100 * vault.MaxRegexInstructions

var patterns = newCompiledCache(maxPatterns, maxPatternBytes, func(p Pattern) int { return p.size.bytes() })
