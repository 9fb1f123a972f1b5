// Package schema holds the steps that change what an agent may collect and what a scenario needs: definitions,
// requirements, scenarios, rules, the extraction of requirements from a text, and reviews.
package schema
