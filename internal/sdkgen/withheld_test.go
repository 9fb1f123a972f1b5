package sdkgen_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

// A list gives its entries alone, so the option of the client tells what its pages leave out.
func TestClients_TellWhatAListWithholds(t *testing.T) {
	t.Parallel()
	_, key := newKey(t)
	c, err := client.New(client.Options{Server: server.URL, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	agent, customer := uuid.New(), uuid.New()
	for _, def := range []vault.Definition{
		{AgentID: agent, Name: "plan", ValueType: vault.TypeString, Enabled: true},
		{AgentID: agent, Name: "passport", ValueType: vault.TypeString, Enabled: true, Purposes: []string{"kyc"}},
	} {
		if _, err := c.SaveDefinition(t.Context(), def, patience); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.RecordConsent(t.Context(), vault.RecordConsentInput{
		CustomerID: customer, Purpose: "kyc", Granted: true,
	}, patience); err != nil {
		t.Fatal(err)
	}
	for _, value := range [][2]string{{"plan", `"gold"`}, {"passport", `"X1234567"`}, {"passport", `"X7654321"`}} {
		if _, err := c.WriteValue(t.Context(), vault.WriteValueInput{
			AgentID: agent, CustomerID: customer, Name: value[0],
			Value: []byte(value[1]), Source: vault.ValueUserProvided,
		}, patience); err != nil {
			t.Fatal(err)
		}
	}
	environ := []string{"CUSTOMER=" + customer.String()}
	t.Run("Python", func(t *testing.T) {
		t.Parallel()
		runWith(t, environ, key, sdk("python"), python(t), "tests/withheld.py")
	})
	t.Run("TypeScript", func(t *testing.T) {
		t.Parallel()
		runWith(t, environ, key, build(t), "node", "build/tests/withheld.js")
	})
}
