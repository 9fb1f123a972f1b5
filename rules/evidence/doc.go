// Package evidence decides whether a value that a model read in a conversation may be stored: whether the customer
// said
// it, as a whole, of himself, and as a fact. It does not matter which model read the value.
//
// A model proposes a value with a quote. The gate finds the value in the quote (extent), and asks whose it is (whose),
// whether it is asserted (asserted, denied, bounds, units), and whether the customer corrected or took it back later
// (corrections). In doubt the value is refused: an unnecessary question is better than an invented value. What passes
// is certain only by form, question and wholeness together (certainty); other values are to be confirmed.
//
// The package is pure. Start reading at Conversation.Check.
package evidence
