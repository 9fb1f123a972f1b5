// Package gapfill holds the steps of gap fills: sessions, the search for missing values in the session and in the
// conversation, questions to the customer, answers, and cancellation. Start reading at gaps.go.
package gapfill
