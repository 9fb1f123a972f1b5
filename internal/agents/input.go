package agents

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// wide are the operations that change or show what the vault holds of a customer as a whole.
var wide = map[string]bool{
	vault.DeleteCustomer.Name: true, vault.MergeCustomers.Name: true, vault.UnmergeCustomer.Name: true,
	vault.EraseCustomer.Name: true, vault.ExportCustomer.Name: true,
	vault.SaveMergeRule.Name: true, vault.DeleteMergeRule.Name: true, vault.ProposeMerges.Name: true,
	vault.DecideMerge.Name: true,
}

// CheckInput returns an error if the input of an operation names something that a context may not use: an agent, an id
// of something of another agent, or a field that its agents do not define. Every id in the input counts, so that an
// operation needs no rule of its own.
func CheckInput(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, operation string, input any) error {
	limit := vault.AgentsOf(ctx)
	if len(limit) == 0 {
		return nil
	}
	if wide[operation] {
		return refused("operation", "%s concerns the data of all agents, and this API key is limited to some; "+
			"use a key without agents", operation)
	}
	named := namesOf(input)
	for _, a := range named.agents {
		if err := checkAgent(limit, a.member, a.id); err != nil {
			return err
		}
	}
	foreign, err := Foreign(ctx, q, tenant, slices.Collect(maps.Keys(named.ids)))
	if err != nil {
		return err
	}
	for id, kind := range foreign {
		return refused(named.ids[id], "%s %s belongs to an agent that this API key may not use", kind, id)
	}
	return checkFields(ctx, q, tenant, input)
}

func checkFields(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, input any) error {
	switch in := input.(type) {
	case vault.WriteValueInput, vault.VerifyValueInput, vault.CorrectValueInput, vault.ProposeDeletionInput,
		vault.ExpireValueInput, vault.ImportValuesInput:
		return CheckFields(ctx, q, tenant, vault.FieldsOf(in)...)
	case vault.AddAssetInput:
		return checkAsset(in)
	case vault.DecideReviewInput:
		name, err := q.GetReviewField(ctx, tenant, in.ID)
		if err != nil {
			return db.WrapNotFound(err, string(in.Kind), in.ID)
		}
		names := []string{name}
		if in.Edit != nil {
			names = append(names, in.Edit.DependsOn...)
			if in.Edit.WhenCondition != nil {
				names = append(names, rules.ConditionFields(*in.Edit.WhenCondition)...)
			}
		}
		return checkNew(ctx, q, tenant, names)
	case vault.Definition:
		return checkNew(ctx, q, tenant, []string{in.Name})
	case vault.Requirement:
		return checkNew(ctx, q, tenant, neededBy(in))
	case vault.ApplyConfigurationInput:
		var names []string
		for _, d := range in.Definitions {
			names = append(names, d.Name)
		}
		for _, r := range in.Requirements {
			names = append(names, neededBy(r)...)
		}
		return checkNew(ctx, q, tenant, names)
	}
	return nil
}

// checkAsset returns an error if an asset would belong to no agent, or would replace assets of others.
func checkAsset(in vault.AddAssetInput) error {
	if in.UploadSessionID == nil && in.UploadScenarioID == nil {
		return refused("upload_session_id", "is required with an API key that is limited to agents, unless "+
			"upload_scenario_id is there: the asset belongs to the agent of the conversation")
	}
	if in.SupersedeExisting {
		return refused("supersede_existing", "may replace assets of other agents, and this API key is limited to some")
	}
	return nil
}

// neededBy are the fields that a requirement names.
func neededBy(r vault.Requirement) []string {
	return slices.Concat([]string{r.FieldName}, r.DependsOn, rules.ConditionFields(r.WhenCondition))
}

// checkNew returns an error if a configuration would give agents a field that only other agents define or have defined:
// its values would be shown to them.
func checkNew(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, names []string) error {
	taken, err := q.ListForeignFields(ctx, dbgen.ListForeignFieldsParams{
		TenantID: tenant, Names: names, Agents: vault.AgentsOf(ctx),
	})
	if err == nil && len(taken) > 0 {
		err = refused("name", "the field %s belongs to agents that this API key may not use; use another name, or a key "+
			"without agents", taken[0])
	}
	return err
}

// named is what an input names.
type named struct {
	agents []namedAgent
	ids    map[uuid.UUID]string // every other id, with its member
}

type namedAgent struct {
	member string
	id     uuid.UUID
}

func namesOf(input any) named {
	out := named{ids: map[uuid.UUID]string{}}
	out.collect("", reflect.ValueOf(input))
	return out
}

var idType = reflect.TypeFor[uuid.UUID]()

func (n *named) collect(member string, v reflect.Value) {
	switch {
	case v.Type() == idType:
		id, _ := v.Interface().(uuid.UUID)
		last := member[strings.LastIndexByte(member, '.')+1:]
		switch {
		case id == uuid.Nil:
		case last == "agent_id":
			n.agents = append(n.agents, namedAgent{member, id})
		default:
			n.ids[id] = member
		}
	case v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface:
		if !v.IsNil() {
			n.collect(member, v.Elem())
		}
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() != reflect.Uint8:
		for i := range v.Len() {
			n.collect(fmt.Sprintf("%s[%d]", member, i), v.Index(i))
		}
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if !f.IsExported() && !f.Anonymous || name == "-" {
				continue
			}
			switch {
			case f.Anonymous && name == "":
				name = member
			case member != "":
				name = member + "." + name
			}
			n.collect(name, v.Field(i))
		}
	}
}
