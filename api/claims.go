package api

import (
	"fmt"
	"slices"

	"github.com/contextvault/contextvault/vault"
)

// defaultSources are the sources that a key may claim unless it was created with others. human_entered and
// document_extracted are stronger than the customer's own word, so a key must be given them.
var defaultSources = []vault.ValueSource{
	vault.ValueUserProvided, vault.ValueToolResult, vault.ValueSystemInferred, vault.ValueLLMExtracted,
}

// mayClaim reports whether a caller may write values from a source. The scope review is for people, so it includes
// human_entered.
func (c caller) mayClaim(source vault.ValueSource) bool {
	if c.may(ScopeAdmin) || (source == vault.ValueHumanEntered && c.may(ScopeReview)) {
		return true
	}
	if len(c.sources) > 0 {
		return slices.Contains(c.sources, source)
	}
	return slices.Contains(defaultSources, source)
}

// checkClaim returns an error if a caller may not claim the source of a write, or that its value is verified. prefix is
// the place of the write in the body, such as "writes[3].", or empty.
func (c caller) checkClaim(prefix string, w vault.WriteValueInput) error {
	if w.Source.Valid() && !c.mayClaim(w.Source) {
		hint := fmt.Sprintf("`vault keys create --sources %s` creates a key that may", w.Source)
		if w.Source == vault.ValueHumanEntered {
			hint = "a key with the scope review, or one created with --sources human_entered, may"
		}
		return notAllowed(prefix+"source", fmt.Sprintf("this API key may not write values with the source %s; %s", w.Source, hint))
	}
	return c.checkVerified(prefix, w.Verified, w.VerificationMethod, w.VerifiedBy)
}

// checkVerified returns an error if a caller without the scope verify claims a verification.
func (c caller) checkVerified(prefix string, verified bool, method, by string) error {
	member := ""
	switch {
	case c.may(ScopeVerify):
		return nil
	case verified:
		member = "verified"
	case method != "":
		member = "verification_method"
	case by != "":
		member = "verified_by"
	default:
		return nil
	}
	return notAllowed(prefix+member, prefix+member+" needs an API key with the scope verify; write the value without it, and "+
		"verify it by a key that may")
}

func notAllowed(field, message string) error {
	return &vault.Error{Code: vault.CodeNotAllowed, Field: field, Message: message}
}

// checkClaims is checkClaim for the writes of an import.
func (c caller) checkClaims(writes []vault.WriteValueInput) error {
	for i, w := range writes {
		if err := c.checkClaim(fmt.Sprintf("writes[%d].", i), w); err != nil {
			return err
		}
	}
	return nil
}
