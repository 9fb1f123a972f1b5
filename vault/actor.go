package vault

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// Actor is who caused an operation, a version or a read, as text:
//
//	key:<id>                        an API key
//	console:<user>                  a person in the console
//	admin                           the admin token
//	command                         a person with the settings of a process, by a command
//	process                         a Go program with the settings of a process, such as an agent runtime
//	workflow:<name>                 a workflow that a cron started, such as a sweep
//	workflow:<name>:<operation>     a workflow, with the operation that it ran for; that one has an actor of its own
type Actor string

// Actors without an id.
const (
	ActorAdmin   Actor = "admin"
	ActorCommand Actor = "command"
	ActorProcess Actor = "process"
)

// KeyActor returns the actor of an API key.
func KeyActor(id uuid.UUID) Actor { return Actor("key:" + id.String()) }

// WorkflowActor returns the actor of what a workflow does by itself. parent is the operation of its run; uuid.Nil: a
// cron started it.
func WorkflowActor(workflow string, parent uuid.UUID) Actor {
	if parent == uuid.Nil {
		return Actor("workflow:" + workflow)
	}
	return Actor("workflow:" + workflow + ":" + parent.String())
}

// MaxActor is the maximum length of an actor.
const MaxActor = 200

// ParseActor checks the text of an actor.
func ParseActor(text string) (Actor, error) {
	kind, rest, _ := strings.Cut(text, ":")
	known := false
	switch kind {
	case "admin", "command", "process":
		known = text == kind
	case "key":
		_, err := uuid.Parse(rest)
		known = err == nil && len(rest) == len(uuid.Nil.String())
	case "console":
		known = rest != ""
	case "workflow":
		name, parent, has := strings.Cut(rest, ":")
		_, err := uuid.Parse(parent)
		known = name != "" && (!has || err == nil)
	}
	if !known || len(text) > MaxActor {
		return "", Invalid(
			"actor",
			"is not an actor; use key:<id>, console:<user>, workflow:<name>, workflow:<name>:<operation>, admin, "+
				"command or process",
		)
	}
	return Actor(text), nil
}

type actorKey struct{}

// WithActor returns a context whose operations and reads are those of an actor.
func WithActor(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// ActorOf returns the actor of a context; ActorProcess without one.
func ActorOf(ctx context.Context) Actor {
	if a, ok := ctx.Value(actorKey{}).(Actor); ok {
		return a
	}
	return ActorProcess
}

// FieldsOf returns the names of the fields that the input of an operation changes. nil: it names none. The name of an
// asset is free text and no field.
func FieldsOf(input any) []string {
	switch in := input.(type) {
	case WriteValueInput:
		return []string{in.Name}
	case VerifyValueInput:
		return []string{in.Name}
	case CorrectValueInput:
		return []string{in.Name}
	case ExpireValueInput:
		return []string{in.Name}
	case ProposeDeletionInput:
		return []string{in.Name}
	case Requirement:
		return []string{in.FieldName}
	case Definition:
		return []string{in.Name}
	case DeleteDefinitionInput:
		return []string{in.Name}
	case ImportValuesInput:
		names := map[string]bool{}
		for _, w := range in.Writes {
			names[w.Name] = true
		}
		return slices.Sorted(maps.Keys(names))
	}
	return nil
}

// DecisionOf returns the decision that the input of an operation makes about a review. "": it makes none.
func DecisionOf(input any) Decision {
	switch in := input.(type) {
	case DecideValueInput:
		return in.Decision
	case DecideReviewInput:
		return in.Decision
	case DecideMergeInput:
		return in.Decision
	}
	return ""
}

// IsForced reports whether the input of an operation overrides a protection.
func IsForced(input any) bool {
	switch in := input.(type) {
	case DeleteItemInput:
		return in.Force
	case DeleteCustomerInput:
		return in.Force
	}
	return false
}
