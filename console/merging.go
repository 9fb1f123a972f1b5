package console

import (
	"strings"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// proposedMerge is a pair of customers who may be the same person, with both profiles.
type proposedMerge struct {
	vault.MergeProposal

	Older, Newer vault.Profile
	Keep         string // what the person picked; "": the older customer
}

func (m proposedMerge) title() string { return "Proposed merge: same " + strings.Join(m.Fields, ", ") }

// addMerges adds the proposed merges to the decisions of a page. A pair of which a customer went meanwhile is left out.
func (q *request) addMerges(page *inbox, all []vault.MergeProposal) error {
	for _, m := range all {
		item := proposedMerge{MergeProposal: m}
		gone := false
		for _, side := range []struct {
			customer uuid.UUID
			into     *vault.Profile
		}{{m.OlderCustomerID, &item.Older}, {m.NewerCustomerID, &item.Newer}} {
			profile, err := q.options.Query.Profile(q.ctx, q.key.TenantID, side.customer)
			if vault.CodeOf(err) == vault.CodeUnknown {
				gone = true
				break
			}
			if err != nil {
				return err
			}
			q.sees(side.customer, namesOf(profile)...)
			*side.into = profile
		}
		if !gone {
			page.Items = append(page.Items, inboxItem{Kind: vault.ReviewOfMerge, ID: m.ID, Merge: &item})
		}
	}
	return nil
}

// decideMerge submits the decision about a proposed merge.
func (q *request) decideMerge(item *inboxItem, decision vault.Decision, keep string) (uuid.UUID, error) {
	item.Merge.Keep = keep
	in := vault.DecideMergeInput{ProposalID: item.ID, Decision: decision}
	if decision == vault.Approve {
		in.Keep = vault.MergeKeep(keep)
	}
	return submit(q, vault.DecideMerge, in)
}
