package console_test

import (
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// visitor is a client that keeps cookies and follows redirects, as a browser without JavaScript does.
type visitor struct {
	t      testing.TB
	url    string
	client *http.Client
	token  string // of the last page
}

// page is a response.
type page struct {
	t      testing.TB
	status int
	at     string // the path and query, after redirects
	header http.Header
	body   string
}

var tokenOf = regexp.MustCompile(`name="token" value="([^"]+)"`)

func (v *visitor) do(r *http.Request) page {
	v.t.Helper()
	res, err := v.client.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	if m := tokenOf.FindSubmatch(body); m != nil {
		v.token = string(m[1])
	}
	return page{v.t, res.StatusCode, res.Request.URL.RequestURI(), res.Header, string(body)}
}

func (v *visitor) get(path string) page {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, v.url+"/console"+path, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	return v.do(r)
}

// post sends a form of names and values, with the token of the last page.
func (v *visitor) post(path string, fields ...string) page {
	v.t.Helper()
	form := url.Values{"token": {v.token}}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
		if fields[i] == "token" {
			form.Set("token", fields[i+1])
		}
	}
	return v.do(v.form(path, form))
}

func (v *visitor) form(path string, form url.Values, headers ...string) *http.Request {
	v.t.Helper()
	r, err := http.NewRequestWithContext(
		v.t.Context(), http.MethodPost, v.url+"/console"+path, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

func (p page) want(status int) page {
	p.t.Helper()
	if p.status != status {
		p.t.Fatalf("%s: status %d, want %d: %s", p.at, p.status, status, p.text())
	}
	return p
}

var tags = regexp.MustCompile(`(?s)<(script|style).*?</(script|style)>|<[^>]*>`)

// text is what a person reads.
func (p page) text() string {
	return strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(p.body, " "))), " ")
}

func (p page) has(texts ...string) page {
	p.t.Helper()
	for _, text := range texts {
		if !strings.Contains(p.text(), text) {
			p.t.Errorf("%s lacks %q: %s", p.at, text, p.text())
		}
	}
	return p
}

func (p page) lacks(texts ...string) page {
	p.t.Helper()
	for _, text := range texts {
		if strings.Contains(p.text(), text) {
			p.t.Errorf("%s has %q: %s", p.at, text, p.text())
		}
	}
	return p
}
