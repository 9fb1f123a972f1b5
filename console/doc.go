// Package console is the web console at /console: a person finds what waits for a decision, investigates a customer and
// corrects it. It reads through query, changes through trigger, and has no data of its own.
//
//   - console.go: the routes and what every response has;
//   - request.go: one request: its key, its rights, its forms and its answers;
//   - session.go: sign-in, the sealed session cookie and the token of forms;
//   - reveal.go: shows masked values, and records it in the audit;
//   - action.go: submits an operation and says what came of it;
//   - text.go: values, times and evidence as a person reads them;
//   - inbox.go, customers.go, changes.go, chain.go, operations.go, schema.go: the pages, with their *.templ;
//   - schema_form.go, schema_edit.go, dryrun.go: the forms that change the schema, with checks and previews;
//   - scenario.go: a scenario with its evidence, and its try-out.
//
// Every page works without JavaScript. static/console.js adds keys to the inbox, static/schema.js tries the forms of the
// schema while a person types.
package console
