package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

// The quickstart: declare, require, ask what is missing, write, read, fill.
func Example() {
	ctx := context.Background()
	c, err := client.New(client.Options{Server: server.URL, Key: newKey()})
	if err != nil {
		log.Fatal(err)
	}
	if err := quickstart(ctx, c); err != nil {
		log.Fatal(err)
	}
	// Output:
	// missing: email, since it is absent
	// the profile holds "ada@example.com"
	// email: filled true, from the profile
}

func quickstart(ctx context.Context, c *client.Client) error {
	agent, customer, scenario := uuid.New(), uuid.New(), uuid.New()
	wait := client.Wait(time.Minute)

	// 1. What may be collected
	if _, err := c.SaveDefinition(ctx, vault.Definition{
		AgentID: agent, Name: "email", DisplayName: "Email Address", ValueType: vault.TypeEmail, IsPII: true, Enabled: true,
		CollectionPrompt: "What is your email address?",
	}, wait); err != nil {
		return err
	}

	// 2. What a scenario needs
	if _, err := c.SaveScenario(ctx, vault.Scenario{
		AgentID: agent, ID: scenario, Name: "Onboarding", Description: "Welcome the customer.",
	}, wait); err != nil {
		return err
	}
	if _, err := c.SaveRequirement(ctx, vault.Requirement{
		ScenarioID: scenario, FieldName: "email", RequiredLevel: vault.LevelHard, FallbackAction: vault.FallbackAsk,
	}, wait); err != nil {
		return err
	}

	// 3. What is missing
	needs, err := c.GetMissing(ctx, client.MissingQuery{CustomerID: customer, ScenarioID: scenario})
	if err != nil {
		return err
	}
	for _, m := range needs.Missing {
		fmt.Printf("missing: %s, since it is %s\n", m.Requirement.FieldName, m.Reason)
	}

	// 4. A fact, and who stated it
	if _, err := c.WriteValue(ctx, vault.WriteValueInput{
		AgentID: agent, CustomerID: customer, Name: "email", Value: json.RawMessage(`"ada@example.com"`), Source: vault.ValueUserProvided,
	}, wait); err != nil {
		return err
	}
	profile, err := c.GetCustomer(ctx, customer)
	if err != nil {
		return err
	}
	fmt.Printf("the profile holds %s\n", profile.Fields["email"].Value)

	// 5. Filling what is missing: the customer is asked for what no source has (ListQuestions)
	fill, err := c.FillGaps(ctx, vault.FillGapsInput{CustomerID: customer, ScenarioID: scenario}, wait)
	if err != nil {
		return err
	}
	for _, f := range fill.Result.Fields {
		fmt.Printf("%s: filled %t, from the %s\n", f.FieldName, f.Filled, f.Source)
	}
	return nil
}

// A refusal says what kind it is, and with which field; the value is in Detail alone.
func ExampleProblem() {
	ctx := context.Background()
	c, err := client.New(client.Options{Server: server.URL, Key: newKey()})
	if err != nil {
		log.Fatal(err)
	}
	_, err = c.WriteValue(ctx, vault.WriteValueInput{
		AgentID: uuid.New(), CustomerID: uuid.New(), Name: "E-Mail", Value: json.RawMessage(`"x"`), Source: vault.ValueUserProvided,
	})
	var p *client.Problem
	if errors.As(err, &p) {
		fmt.Println(p.Status, p.Code, p.Field)
	}
	// Output:
	// 422 invalid_input name
}

// A change that was accepted may be waited for later, by its operation.
func ExampleOperation_Wait() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := client.New(client.Options{Server: server.URL, Key: newKey()})
	if err != nil {
		log.Fatal(err)
	}
	agent := uuid.New()
	op, err := c.SaveDefinition(ctx, vault.Definition{AgentID: agent, Name: "plan", ValueType: vault.TypeString, Enabled: true})
	if err != nil {
		log.Fatal(err)
	}
	if op, err = op.Wait(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println(op.Status)
	for field, err := range c.ListDefinitions(ctx, agent) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(field.Name)
	}
	// Output:
	// succeeded
	// plan
}
