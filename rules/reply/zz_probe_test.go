package reply_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/contextvault/contextvault/rules/reply"
)

func TestZZProbe(t *testing.T) {
	raw, err := os.ReadFile("/tmp/h11b_probe.tsv")
	if err != nil {
		t.Skip()
	}
	defs := readDefinitions(t)
	for line := range strings.SplitSeq(strings.TrimSpace(string(raw)), "\n") {
		f := strings.Split(line, "\t")
		if len(f) < 3 {
			continue
		}
		q := reply.Question{Definition: defs[f[0]], Confirm: f[1] != "-"}
		if q.Confirm {
			q.Candidate = json.RawMessage(f[1])
		}
		for _, o := range others {
			if o != f[0] {
				q.Others = append(q.Others, defs[o])
			}
		}
		a, _ := json.Marshal(f[2])
		r := q.Read(a, offline(t))
		also := ""
		for _, c := range r.Also {
			also += fmt.Sprintf(" +%s=%s", c.FieldName, c.Value)
		}
		v := string(r.Value)
		if r.Kind == reply.Yes {
			v = ""
		}
		fmt.Printf("%-14s %-14s %-60s %s %s%s\n", f[0], f[1], f[2], strings.ToUpper(string(r.Kind)), v, also)
	}
}
