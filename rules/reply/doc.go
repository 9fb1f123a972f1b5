// Package reply reads what a customer replies to a question of a gap fill: an answer to an open question, or a reply to
// the question whether a value is right. It is pure: the values that a text states come from a function of the caller,
// which asks a language model, and count only if the evidence gate of package rules accepts them.
//
// A reply is cut into segments at its punctuation. Each segment is recognised as a yes, a no, a refusal, an
// interruption, a doubt, a question or a courtesy by closed vocabularies (words.go, phrases.go); the others are
// content, from which a value may be read (value.go). A reply that is not recognised completely is never a yes. Start
// reading at Question.Read.
package reply
